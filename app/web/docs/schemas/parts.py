"""The parts that schemas are built from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]


def ref(name: str, kind: str = "schemas") -> Schema:
    """The name of a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def number(description: str, minimum: int, maximum: int | None = None, **more: Any) -> Schema:
    schema = {"type": "integer", "description": description, "minimum": minimum, **more}
    return schema if maximum is None else {**schema, "maximum": maximum}


def real(description: str, **more: Any) -> Schema:
    return {"type": "number", "description": description, **more}


def flag(description: str, **more: Any) -> Schema:
    return {"type": "boolean", "description": description, **more}


def an_array(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def choice(description: str, values: Iterable[str]) -> Schema:
    return {"type": "string", "description": description, "enum": [str(value) for value in values]}


def named(name: str, description: str, **more: Any) -> Schema:
    # Some generators of clients read nothing beside $ref, as in OpenAPI 3.0.
    return {"allOf": [ref(name)], "description": description, **more}


def an_object(description: str, required: Schema, optional: Schema | None = None) -> Schema:
    schema = {
        "type": "object",
        "description": description,
        "properties": {**required, **(optional or {})},
    }
    # It may be left out, and may not be empty.
    return {**schema, "required": list(required)} if required else schema


def in_path(name: str, description: str, pattern: str, example: str) -> Schema:
    """A parameter of a path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "pattern": pattern},
        "example": example,
    }

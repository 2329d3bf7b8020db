"""The parameters in paths and queries of the HTTP API."""

from __future__ import annotations

from typing import Any

from sanic import Request

from app.core.errors import NotFound
from app.core.jobs.fetched.links import ID_PATTERN, is_id
from app.core.picture.conversion import parse_md5
from app.web.docs.schemas.conversion import EXAMPLE_MD5
from app.web.docs.schemas.parts import Schema, in_path
from app.web.guard.record import record_of
from imaging.formats import Format
from imaging.options import Fit

EXAMPLE: dict[str, Any] = {"md5": EXAMPLE_MD5, "format": str(Format.WEBP), "quality": 0}
"""A plain conversion, as answers describe it."""

EXAMPLE_WITH_OPTIONS = {
    **EXAMPLE,
    "options": {"width": 300, "height": 200, "fit": str(Fit.COVER)},
}

MD5 = in_path(
    "md5",
    "The MD5 of the uploaded file, in upper or lower case; anything else is 404.",
    "^[0-9a-fA-F]{32}$",
    EXAMPLE_MD5,
)

PICTURE = in_path(
    "md5",
    "The MD5 of the uploaded file, in upper or lower case, or the `id` of an upload by its URL; "
    "anything else is 404.",
    f"^([0-9a-fA-F]{{32}}|{ID_PATTERN})$",
    EXAMPLE_MD5,
)


def in_query(name: str, schema: Schema) -> Schema:
    """A parameter of the query, described by its schema."""
    # Without a default: a missing parameter matches everything.
    schema = {key: value for key, value in schema.items() if key != "default"}
    return {"name": name, "in": "query", "description": schema["description"], "schema": schema}


def in_header(name: str, description: str) -> Schema:
    """A header that a request may have."""
    # Without an example, which the page would put into the field.
    schema = {"type": "string"}
    return {"name": name, "in": "header", "description": description, "schema": schema}


def named_md5(request: Request, value: str) -> str:
    """The MD5 in a path, in lower case; the access log gets it too.

    Raises:
        NotFound: if it is not an MD5.
    """
    if is_id(value):
        raise NotFound(
            "This takes an MD5: /status and /events take the id of an upload by its URL, and tell "
            "the MD5 once the picture is there"
        )
    md5 = parse_md5(value)
    if md5 is None:
        raise NotFound("An MD5 is 32 hex digits")
    record_of(request).md5 = md5
    return md5

"""What a server says of itself: its limits, and the values its options take."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyimage_client.conversion import Conversion
from tinyimage_client.errors import InvalidOption


@dataclass(frozen=True, slots=True)
class About:
    """The server and its limits."""

    version: str
    max_upload_size_bytes: int
    max_concurrent_tasks: int
    """Pictures that one worker process converts at a time."""
    max_age: float
    """Hours until a result is deleted."""


class Fields:
    """The fields of an upload, as the server's schema declares them."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """
        Args:
            schema: the server's description of its API (OpenAPI 3.0).

        Raises:
            KeyError: if it does not describe uploads.
        """
        self._schemas: Mapping[str, Any] = schema["components"]["schemas"]
        body = schema["paths"]["/upload"]["post"]["requestBody"]["content"]
        form = self._resolved(body["multipart/form-data"]["schema"])
        self._declared: Mapping[str, Any] = form["properties"]

    @property
    def formats(self) -> list[str]:
        """What can be asked for, `same` and `auto` included."""
        ways = self._ways(self._declared["format"])
        return [str(name) for way in ways for name in way.get("enum", ())]

    def check(self, conversion: Conversion) -> None:
        """See that the server understands all that is asked for: it passes over what it does not
        know.

        Raises:
            InvalidOption: if it does not.
        """
        for name, value in conversion.fields.items():
            if name not in self._declared:
                raise InvalidOption(f"this server has no option {name!r}")
            self._check(name, value)

    def _check(self, name: str, value: str) -> None:
        ways = self._ways(self._declared[name])
        wanted = [what for way in ways if (what := _wanted(way, value)) is not None]
        if len(wanted) == len(ways):
            raise InvalidOption(f"{name} should be {' or '.join(wanted)} (it is {value!r})")

    def _ways(self, schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """The schemas of which a value should be as one says."""
        declared = self._resolved(schema)
        return [self._resolved(way) for way in declared.get("oneOf", (declared,))]

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema with what it refers to."""
        merged = dict(schema)
        for part in (schema, *schema.get("allOf", ())):
            if reference := part.get("$ref"):
                merged |= self._schemas[reference.rpartition("/")[2]]
        return merged


def _wanted(declared: Mapping[str, Any], value: str) -> str | None:
    """What the value should be by a schema; None if it is that."""
    choices = [str(choice) for choice in declared.get("enum", ())]
    if choices:
        return None if value in choices else f"one of {', '.join(choices)}"
    if (pattern := declared.get("pattern")) and not re.search(pattern, value):
        words = dict.fromkeys(re.findall(r"[a-z]{3,}", pattern))
        if words:
            return f"some of {', '.join(words)}"
        return f"something else: {declared.get('description', pattern)}"
    if declared.get("type") == "integer":
        least, most = declared.get("minimum", 0), declared.get("maximum", math.inf)
        number = int(value) if re.fullmatch(r"-?\d{1,12}", value) else None
        if number is None or not least <= number <= most:
            return f"from {least} to {most}"
    return None

"""What a server says of itself: its limits, and the values its options take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinyimage_client.conversion import AUTO, Conversion
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
        """What can be asked for, `same` included."""
        return list(self._resolved(self._declared["format"]).get("enum", ()))

    def check(self, conversion: Conversion) -> None:
        """See that the server understands all that is asked for: it passes over what it does not
        know.

        Raises:
            InvalidOption: if it does not.
        """
        for name, value in conversion.fields.items():
            if name not in self._declared:
                raise InvalidOption(f"this server has no option {name!r}")
            if name == "quality" and value == AUTO:
                # How the schema says so is not fixed.
                if AUTO not in json.dumps(self._declared[name]):
                    raise InvalidOption("this server chooses no quality by itself (auto)")
                continue
            self._check(name, value)

    def _check(self, name: str, value: str) -> None:
        declared = self._resolved(self._declared[name])
        choices = [str(choice) for choice in declared.get("enum", ())]
        if name == "format" and value == "jpeg":
            value = "jpg"
        if choices and value not in choices:
            raise InvalidOption(f"{name} should be one of {', '.join(choices)} (it is {value!r})")
        if "pattern" in declared and not re.search(declared["pattern"], value):
            words = re.findall(r"[a-z]{3,}", declared["pattern"])
            known = f" some of {', '.join(dict.fromkeys(words))}" if words else " something else"
            raise InvalidOption(f"{name} should be{known} (it is {value!r})")
        least, most = declared.get("minimum"), declared.get("maximum")
        if declared.get("type") == "integer" and least is not None and most is not None:
            number = int(value) if re.fullmatch(r"-?\d{1,12}", value) else None
            if number is None or not least <= number <= most:
                raise InvalidOption(f"{name} should be from {least} to {most} (it is {value!r})")

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """The schema with what it refers to."""
        merged = dict(schema)
        for part in (schema, *schema.get("allOf", ())):
            if reference := part.get("$ref"):
                merged |= self._schemas[reference.rpartition("/")[2]]
        return merged

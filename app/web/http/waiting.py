"""How long a request for the status may wait."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sanic import Request

from app.core.errors import InvalidOption

MAX_WAIT_SECONDS = 60
"""Some proxies cut a request without an answer after a minute."""

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PREFERENCE = re.compile(
    rf"""({_NAME})(?:[ \t]*=[ \t]*({_NAME}|"(?:[^"\\]|\\.)*"))?((?:[^,"]|"(?:[^"\\]|\\.)*")*)"""
)
"""A preference of RFC 7240, section 2: its name, its value, and parameters, which are ignored."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The requested wait."""

    seconds: int
    preferred: bool = False
    """Whether as a preference, which the answer says it has followed."""

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        return {"Preference-Applied": f"wait={self.seconds}"} if self.preferred else {}


def asked_wait(request: Request) -> Wait | None:
    """The wait requested by `?wait=` or, without it, by the header `Prefer`; None for no waiting.

    Raises:
        InvalidOption: if the query has anything but a number from 0 to `MAX_WAIT_SECONDS`.
    """
    asked = request.args.get("wait")
    if asked is None:
        seconds = preferred_wait(request.headers.getall("prefer", ()))
        return None if seconds is None else Wait(seconds, preferred=True)
    seconds = _seconds(asked.strip())
    if seconds is None:
        raise InvalidOption(
            f"wait should be a whole number of seconds from 0 to {MAX_WAIT_SECONDS} "
            f"(it is {asked[:40]!r})"
        )
    return Wait(seconds)


def preferred_wait(headers: Iterable[str]) -> int | None:
    """The seconds in the request's `Prefer` headers. An invalid value is ignored, and the first of
    several preferences counts (RFC 7240, section 2).

    Args:
        headers: their values.
    """
    for header in headers:
        for preference in _PREFERENCE.finditer(header):
            if preference[1].lower() == "wait":
                return _seconds((preference[2] or "").strip('"'))
    return None


def _seconds(value: str) -> int | None:
    if not (value.isascii() and value.isdigit() and len(value) <= len("0000")):
        return None
    return int(value) if int(value) <= MAX_WAIT_SECONDS else None

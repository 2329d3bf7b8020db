"""The conditional and range requests of RFC 9110, for a resource with one strong validator."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to, without, `end`."""

    start: int
    end: int


class RangeNotSatisfiable(Exception):
    """The range asked for has none of the bytes there are."""


def matches(header: str | None, etag: str) -> bool:
    """Whether If-None-Match says the client has the representation with this quoted tag."""
    if header is None:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags


def parse_range(header: str | None, if_range: str | None, etag: str, size: int) -> ByteRange | None:
    """The one range asked for, or None where the whole is to be sent.

    A range that is malformed, of several parts, or of an older version is passed over, as the RFC
    allows.

    Raises:
        RangeNotSatisfiable: if it begins behind the end.
    """
    if header is None or (if_range is not None and if_range.strip() != etag):
        return None
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:  # the last so many bytes
        if int(last) == 0 or size == 0:
            raise RangeNotSatisfiable
        return ByteRange(max(0, size - int(last)), size)
    start, end = int(first), min(int(last), size - 1) + 1 if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, end)

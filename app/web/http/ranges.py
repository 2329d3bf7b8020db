"""The conditional and range requests of RFC 9110, sections 13 and 14."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum, auto

from app.core.errors import RangeNotSatisfiable

_RANGE = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` up to, without, `end`."""

    start: int
    end: int


class Condition(Enum):
    """The outcome of the preconditions of a request."""

    HOLDS = auto()
    NOT_MODIFIED = auto()
    """The client has the file: 304."""
    FAILED = auto()
    """The file has another version than the client means: 412."""


@dataclass(frozen=True, slots=True)
class Version:
    """The validators of a version of a file."""

    etag: str
    """Strong, with its quotes."""
    modified: datetime
    """The time when it was made."""
    only_one: bool
    """Whether no other version can be as old, to the second: then its date is a strong validator
    too (section 8.8.2.2)."""

    @property
    def last_modified(self) -> str:
        """The date as the header has it, in whole seconds."""
        return format_datetime(self.modified.astimezone(UTC), usegmt=True)

    def check(self, headers: Mapping[str, str]) -> Condition:
        """Whether the preconditions of a GET or HEAD hold, in the order of section 13.2.2: with
        tags, dates are ignored."""
        if (tags := headers.get("if-match")) is not None:
            if not self._is_one_of(tags, weak=False):
                return Condition.FAILED
        elif (date := _date(headers.get("if-unmodified-since"))) and self._second() > date:
            return Condition.FAILED
        if (tags := headers.get("if-none-match")) is not None:
            return Condition.NOT_MODIFIED if self._is_one_of(tags) else Condition.HOLDS
        if (date := _date(headers.get("if-modified-since"))) and self._second() <= date:
            return Condition.NOT_MODIFIED
        return Condition.HOLDS

    def is_same(self, if_range: str | None) -> bool:
        """Whether a range may be of this version (section 13.1.5)."""
        if if_range is None:
            return True
        if '"' in if_range:
            return if_range.strip() == self.etag
        return self.only_one and _date(if_range) == self._second()

    def _second(self) -> datetime:
        return self.modified.replace(microsecond=0)

    def _is_one_of(self, tags: str, *, weak: bool = True) -> bool:
        given = [tag.strip() for tag in tags.split(",")]
        if weak:
            given = [tag.removeprefix("W/") for tag in given]
        return "*" in given or self.etag in given


def _date(header: str | None) -> datetime | None:
    """A date of HTTP (section 5.6.7); None if it is invalid, which counts as missing."""
    try:
        date = parsedate_to_datetime(header or "")
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """The requested range, or None if the whole file is sent.

    A malformed range, or one of several parts, is ignored, as the RFC allows.

    Raises:
        RangeNotSatisfiable: if it begins after the end.
    """
    if header is None:
        return None
    match = _RANGE.fullmatch(header.strip())
    if match is None:
        return None
    first, last = match.groups()
    if not first and not last:
        return None
    if not first:  # the last so many bytes
        if int(last) == 0 or size == 0:
            raise RangeNotSatisfiable(size)
        return ByteRange(max(0, size - int(last)), size)
    start, end = int(first), min(int(last), size - 1) + 1 if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return ByteRange(start, end)

"""A time as metadata has it: often without its seconds, or without a zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)?)?)?"
    r"(Z|[+-]\d\d:\d\d)?"
)
"""ISO 8601 in the forms that XMP has (ISO 16684-1, 8.2.1.2)."""
_EXIF = re.compile(r"(\d{4}):(\d\d|  ):(\d\d|  ) (\d\d|  ):(\d\d|  ):(\d\d|  )")
"""EXIF 3.0, 4.6.6.4: what is not known is blank."""
_IIM_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)")
_IIM_TIME = re.compile(r"(\d\d)(\d\d)(\d\d)([+-]\d\d)?(\d\d)?")
_OFFSET = re.compile(r"Z|[+-]\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, in digits."""

    parts: tuple[str, ...]
    """Year, month, day, hour, minute and second, as far as they are known; without blanks between
    them."""
    offset: str = ""
    """From UTC, such as +02:00 or Z; "" if it is not known."""

    @property
    def iso(self) -> str:
        """As XMP has it."""
        date = "-".join(self.parts[:3])
        time = ":".join(self.parts[3:])
        return f"{date}T{time}{self.offset}" if time else date

    @property
    def exif(self) -> str:
        """As EXIF has it, without the offset."""
        year, month, day, hour, minute, second = (*self.parts, *["  "] * 6)[:6]
        return f"{year}:{month}:{day} {hour}:{minute}:{second}"

    @property
    def exif_offset(self) -> str:
        """The offset as EXIF has it, "" if it is not known."""
        return "+00:00" if self.offset == "Z" else self.offset


def from_iso(text: str) -> Moment | None:
    """The time of an XMP property, None if it is not one."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    *parts, offset = match.groups()
    return _moment(parts, offset or "")


def from_exif(text: str, offset: str = "") -> Moment | None:
    """The time of an EXIF tag and of the tag with its offset, None if it is not one."""
    match = _EXIF.fullmatch(text.strip("\0"))
    if match is None:
        return None
    return _moment(match.groups(), offset if _OFFSET.fullmatch(offset) else "")


def from_iptc(date: str, time: str) -> Moment | None:
    """The time of IPTC's two texts, None if they are not one."""
    match = _IIM_DATE.fullmatch(date)
    if match is None:
        return None
    of_day = _IIM_TIME.fullmatch(time)
    if of_day is None:
        return _moment(match.groups(), "")
    *hours, across, minutes = of_day.groups()
    return _moment((*match.groups(), *hours), f"{across}:{minutes}" if minutes else "")


def _moment(parts: Sequence[str | None], offset: str) -> Moment | None:
    """What is known of it up to the first gap; None for the year 0000."""
    known: list[str] = []
    for part in parts:
        if part is None or not part.strip():
            break
        known.append(part)
    if not known or known[0] == "0000":
        return None
    if len(known) == 4:  # an hour without its minutes
        known = known[:3]
    return Moment(tuple(known), offset if len(known) > 3 else "")

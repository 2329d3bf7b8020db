"""What is asked for: a picture, a format, a quality."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import UnsupportedFormat

DEFAULT_QUALITY = 80
NO_QUALITY = 0
"""The quality of a format that has none of its own in the kept API."""

_MD5 = re.compile(r"[0-9a-fA-F]{32}")


class Format(StrEnum):
    """An output format; the value is its name in the API and its file extension."""

    WEBP = "webp"
    PNG = "png"
    JPG = "jpg"

    @property
    def media_type(self) -> str:
        """The content type a file of this format is sent with."""
        return "image/jpeg" if self is Format.JPG else f"image/{self.value}"

    @property
    def has_quality(self) -> bool:
        """Whether the API's `quality` counts for this format."""
        return self is Format.JPG


DEFAULT_FORMAT = Format.WEBP


@dataclass(frozen=True, slots=True)
class Conversion:
    """One picture in one format and quality. Equal conversions are one RQ job."""

    md5: str
    """MD5 of the original, 32 lower-case hex digits."""
    format: Format
    quality: int
    """1 to 100, or 0 where the format has no quality."""

    @property
    def job_id(self) -> str:
        """The id of the RQ job, and the root of the storage keys."""
        return f"{self.md5}-{self.format}-{self.quality}"

    def to_dict(self) -> dict[str, Any]:
        """The conversion as JSON data, for the arguments of the job."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Conversion:
        """The conversion that `to_dict` described."""
        return cls(md5=data["md5"], format=Format(data["format"]), quality=data["quality"])


def parse_format(value: object) -> Format:
    """The format a client names, in any case and with blanks around it; None or "" is webp.

    Raises:
        UnsupportedFormat: if there is no such format.
    """
    if value is None or value == "":
        return DEFAULT_FORMAT
    name = value.strip().lower() if isinstance(value, str) else ""
    if name == "jpeg":
        return Format.JPG
    try:
        return Format(name)
    except ValueError:
        raise UnsupportedFormat(f"Unsupported format; choose one of {', '.join(Format)}") from None


def parse_quality(value: object, format: Format) -> int:
    """The quality that counts: 1 to 100, 80 for anything else, 0 if the format has none."""
    if not format.has_quality:
        return NO_QUALITY
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        # The length is bounded first: int() of a very long string is slow, and then an error.
        value = int(value.strip()[:10])
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
        return value
    return DEFAULT_QUALITY


def parse_md5(value: str) -> str | None:
    """The MD5 in lower case, or None if `value` is not 32 hex digits."""
    return value.lower() if _MD5.fullmatch(value) else None

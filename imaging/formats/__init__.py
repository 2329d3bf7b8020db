"""The formats that results are written in."""

from __future__ import annotations

from enum import StrEnum

from imaging.errors import UnsupportedFormat
from imaging.measures import Size


class Format(StrEnum):
    """An output format; the value is its name in the API and its file extension."""

    WEBP = "webp"
    PNG = "png"
    JPG = "jpg"
    AVIF = "avif"
    GIF = "gif"

    @property
    def media_type(self) -> str:
        """The content type a file of this format is sent with."""
        return "image/jpeg" if self is Format.JPG else f"image/{self.value}"

    @property
    def has_quality(self) -> bool:
        """Whether the API's `quality` counts for this format."""
        return self is Format.JPG

    @property
    def takes_q(self) -> bool:
        """Whether `q` counts for this format."""
        return self is not Format.GIF

    @property
    def can_be_lossless(self) -> bool:
        """Whether the format holds any picture without loss."""
        return self in (Format.WEBP, Format.PNG, Format.AVIF)

    @property
    def max_side(self) -> int:
        """Pixels of the longest side that a file of this format holds, as it is written here."""
        return _MAX_SIDES[self]

    def too_large(self, size: Size) -> str | None:
        """Why the format does not hold a picture of this size, in a sentence; None if it does."""
        longest = max(size.width, size.height)
        if longest <= self.max_side:
            return None
        others = ", ".join(format for format in Format if longest <= format.max_side)
        return (
            f"{self} holds {self.max_side} pixels a side, and the picture would have "
            f"{size.width} × {size.height}: ask for a smaller width or height"
            + (f", or for one of {others}" if others else "")
        )


_MAX_SIDES = {
    Format.WEBP: 16_383,  # RFC 9649, 2.7
    Format.AVIF: 16_384,  # libvips, heifsave.c
    Format.JPG: 65_500,  # libjpeg's JPEG_MAX_DIMENSION
    Format.GIF: 65_535,  # GIF89a, 18: two bytes
    Format.PNG: 2**31 - 1,  # PNG, third edition, 11.2.1
}

DEFAULT_FORMAT = Format.WEBP

SAME = "same"
"""The name, in place of a format, that asks for the format the picture comes in."""

_SAME_FORMATS = {
    "image/jpeg": Format.JPG,
    "image/png": Format.PNG,
    "image/apng": Format.PNG,
    "image/webp": Format.WEBP,
    "image/gif": Format.GIF,
    "image/avif": Format.AVIF,
}


def same_format(media_type: str) -> Format | None:
    """The format that pictures of this media type are written in, None if there is none."""
    return _SAME_FORMATS.get(media_type)


def is_same(name: object) -> bool:
    """Whether a client names the format that the picture comes in."""
    return isinstance(name, str) and name.strip().lower() == SAME


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
        raise UnsupportedFormat(
            f"Unsupported format; choose one of {', '.join((*Format, SAME))}"
        ) from None

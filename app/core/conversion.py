"""What is asked for: a picture, a format, a quality, options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import InvalidOption, UnsupportedFormat
from app.core.geometry import final_size
from app.core.measures import Size
from app.core.options import (
    DEFAULTS,
    Effort,
    Options,
    Priority,
    parse_options,
    parse_priority,
    parse_q,
)

DEFAULT_QUALITY = 80
NO_QUALITY = 0
"""The quality of a format that has none of its own in the kept API."""

_MD5 = re.compile(r"[0-9a-fA-F]{32}")


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


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for, whatever the picture turns out to be."""

    format: Format | None
    """None is the format the picture comes in."""
    quality: object
    """As it was given; counts as `parse_quality` says."""
    q: int | None
    options: Options
    priority: Priority = Priority.INTERACTIVE
    """When, and not what: the same picture with another priority is the same conversion."""

    def conversion(self, md5: str, media_type: str, size: Size | None = None) -> Conversion:
        """The conversion of the picture `md5`, which is of this media type.

        Args:
            size: as it is stored, in pixels; None if that is not known yet.

        Raises:
            UnsupportedFormat: if its own format is asked for, and cannot be written.
            InvalidOption: if the format cannot do what is asked for, or does not hold a picture of
                this size.
        """
        format = self.format or same_format(media_type)
        if format is None:
            raise UnsupportedFormat(
                f"{media_type} can be read and not written; choose one of {', '.join(Format)}"
            )
        if self.options.lossless and not format.can_be_lossless:
            raise InvalidOption(f"{format} cannot be lossless")
        if size is not None and (reason := self._too_large(format, size)):
            raise InvalidOption(reason)
        quality = parse_quality(self.quality, format)
        if self.q is not None and format.takes_q:
            quality = self.q
        if self.options.lossless:
            quality = NO_QUALITY
        return Conversion(md5, format, quality, self.options)

    def _too_large(self, format: Format, size: Size) -> str | None:
        """Why the format does not hold the picture, also if it is shown turned by a quarter."""
        turned = final_size(size.height, size.width, self.options)
        if not format.too_large(turned):
            return None
        return format.too_large(final_size(size.width, size.height, self.options))


@dataclass(frozen=True, slots=True)
class Conversion:
    """One picture in one format, quality and set of options. Equal conversions are one RQ job."""

    md5: str
    """MD5 of the original, 32 lower-case hex digits."""
    format: Format
    quality: int
    """1 to 100, or 0 where the server chooses it."""
    options: Options = DEFAULTS

    @property
    def job_id(self) -> str:
        """The id of the RQ job, and the root of the storage keys."""
        name = self.options.name
        return f"{self.md5}-{self.format}-{self.quality}{f'-{name}' if name else ''}"

    @property
    def is_plain(self) -> bool:
        """Whether it is one that the kept API can name: without options, `q` included."""
        chosen = self.quality != NO_QUALITY
        return self.options == DEFAULTS and (not chosen or self.format.has_quality)

    def to_dict(self) -> dict[str, Any]:
        """The conversion as JSON data, for the arguments of the job."""
        data = {"md5": self.md5, "format": self.format, "quality": self.quality}
        options = self.options.to_dict()
        return {**data, "options": options} if options else data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Conversion:
        """The conversion that `to_dict` described."""
        return cls(
            md5=data["md5"],
            format=Format(data["format"]),
            quality=data["quality"],
            options=Options.from_dict(data.get("options", {})),
        )


def parse_wish(given: Mapping[str, object], default_effort: Effort, max_pixels: int) -> Wish:
    """What the fields of a form, or the members of a JSON object, ask for.

    Args:
        default_effort: what the settings say.
        max_pixels: pixels of the largest picture that may be asked for.

    Raises:
        UnsupportedFormat: if there is no such format.
        InvalidOption: if an option is wrong, or does not go with the others.
    """
    name = given.get("format")
    format = None if is_same(name) else parse_format(name)
    options = parse_options(given, default_effort, max_pixels)
    q = parse_q(given.get("q"))
    if options.lossless and q is not None:
        raise InvalidOption("q and lossless exclude each other")
    priority = parse_priority(given.get("priority"))
    return Wish(format, given.get("quality"), q, options, priority)


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

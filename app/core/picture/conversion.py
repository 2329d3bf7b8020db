"""The request for a conversion, and the conversion: a picture, a format or several, a quality,
options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from app.core.errors import InvalidOption, UnsupportedFormat, told
from app.core.picture.batch import Batch
from app.core.picture.priority import Priority, parse_priority
from app.core.picture.recipients import Recipient
from imaging import formats
from imaging.formats import AUTO, Format, is_same, same_format
from imaging.measures import Size
from imaging.options import DEFAULTS, Effort, Options, asked
from imaging.options.geometry import final_size
from imaging.quality import NO_QUALITY, parse_quality

parse_format = told()(formats.parse_format)
parse_options = told()(asked.parse_options)
parse_flag = told()(asked.parse_flag)
parse_q = told()(asked.parse_q)

MD5_DIGITS = 32

_MD5 = re.compile(rf"[0-9a-fA-F]{{{MD5_DIGITS}}}")


@dataclass(frozen=True, slots=True)
class ConversionRequest:
    """The conversion that a client requests, before the picture is known."""

    format: Format | None
    """None for the format of the original, or where the options have several."""
    quality: object
    """As given; interpreted by `parse_quality`."""
    q: int | None
    options: Options
    priority: Priority = Priority.INTERACTIVE
    """Only the order: the same picture with another priority is the same conversion."""
    recipients: tuple[Recipient, ...] = ()
    """Of the message about its end; not part of the conversion either."""
    widths: tuple[int, ...] = ()
    """Of several conversions, which differ in their width alone, the smallest first; () for one."""
    batch: Batch | None = None
    """In which it is; nor is that."""

    def conversion(self, md5: str, media_type: str, size: Size | None = None) -> Conversion:
        """The conversion of the picture `md5`, which is of this media type.

        Args:
            size: as stored, in pixels; None if it is not known yet.

        Raises:
            UnsupportedFormat: if its own format is requested, and cannot be written.
            InvalidOption: if the format cannot do what is requested, or cannot hold a picture of
                this size.
        """
        if self.options.formats:
            return self._open(md5, size)
        format = self.format or same_format(media_type)
        if format is None:
            raise UnsupportedFormat(
                f"{media_type} can be read but not written; choose one of {', '.join(Format)}"
            )
        if self.options.lossless and not format.can_be_lossless:
            raise InvalidOption(f"{format} cannot be lossless")
        if size is not None and (reason := self._too_large(format, size)):
            raise InvalidOption(reason)
        quality = parse_quality(self.quality, format)
        if self.q is not None and format.takes_q:
            quality = self.q
        options = self.options.for_format(format)
        if options.lossless or options.q:
            quality = NO_QUALITY
        return Conversion(md5, format, quality, options)

    def _open(self, md5: str, size: Size | None) -> Conversion:
        """The conversion to one of several formats, which is not known yet."""
        options = self.options.for_format(None)
        if size is not None:
            reasons = [self._too_large(each, size) for each in options.formats]
            if reasons[0] and all(reasons):
                raise InvalidOption(reasons[0])
        # The same look in each, also in those that have no quality in the kept API.
        quality = self.q or parse_quality(self.quality, Format.JPG)
        if options.lossless or options.q:
            quality = NO_QUALITY
        return Conversion(md5, None, quality, options)

    def _too_large(self, format: Format, size: Size) -> str | None:
        """Why the format cannot hold the picture, even if it is displayed turned by a quarter."""
        if self.options.looks_first:  # the decoder is the first to know
            return None
        turned = final_size(size.height, size.width, self.options)
        if not format.too_large(turned):
            return None
        return format.too_large(final_size(size.width, size.height, self.options))


@dataclass(frozen=True)
class Conversion:
    """One picture in one format, quality and set of options. Equal conversions are one RQ job."""

    md5: str
    """MD5 of the original, 32 lower-case hex digits."""
    format: Format | None
    """None for one of several, `options.formats`: the job knows which once it is done."""
    quality: int
    """1 to 100, or 0 where the server chooses it."""
    options: Options = DEFAULTS

    @cached_property
    def job_id(self) -> str:
        """The id of the RQ job, and the root of the storage keys."""
        name = self.options.name
        return f"{self.md5}-{self.named}-{self.quality}{f'-{name}' if name else ''}"

    @property
    def named(self) -> str:
        """The name of the format, or that of an open one."""
        return self.format or AUTO

    @property
    def is_plain(self) -> bool:
        """Whether the kept API can name it: without options, including `q`."""
        if self.format is None or self.options != DEFAULTS:
            return False
        return self.quality == NO_QUALITY or self.format.has_quality

    @property
    def closed_options(self) -> Options:
        """The options without the formats that were left open."""
        return replace(self.options, formats=())

    @property
    def is_bare(self) -> bool:
        """Whether it is plain, or would be if its format were not left open."""
        return self.is_plain or (self.format is None and self.closed_options == DEFAULTS)

    def download_query(self, format: Format | None) -> str:
        """The query of the download that gets the result of this conversion and no other.

        Args:
            format: of the result.
        """
        query = {"format": str(format or self.named), **self.options.to_text()}
        if self.quality != NO_QUALITY:
            name = "quality" if self.format and self.format.has_quality else "q"
            query[name] = str(self.quality)
        if self.is_plain:
            # A download that names an option, even with its default, never gets another result.
            query["lossless"] = "false"
        return urlencode(query, safe=",")

    def to_dict(self) -> dict[str, Any]:
        """The conversion as JSON data, for the arguments of the job."""
        data = {"md5": self.md5, "format": self.named, "quality": self.quality}
        options = self.options.to_dict()
        return {**data, "options": options} if options else data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Conversion:
        """The conversion that `to_dict` described."""
        return cls(
            md5=data["md5"],
            format=None if data["format"] == AUTO else Format(data["format"]),
            quality=data["quality"],
            options=Options.from_dict(data.get("options", {})),
        )


@told()
def parse_conversion_request(
    given: Mapping[str, object], default_effort: Effort, max_pixels: int
) -> ConversionRequest:
    """The request in the fields of a form, or in the members of a JSON object, once `opened` has
    seen them.

    Args:
        default_effort: from the settings.
        max_pixels: pixels of the largest picture that may be requested.

    Raises:
        UnsupportedFormat: if there is no such format.
        InvalidOption: if a value is invalid, or options conflict.
    """
    name = given.get("format")
    format = None if is_same(name) else parse_format(name)
    options = parse_options(given, default_effort, max_pixels)
    if options.formats:
        if name:
            raise InvalidOption("format and formats exclude each other")
        format = None
    q = parse_q(given.get("q"))
    if options.lossless and (q or options.q):
        raise InvalidOption("q and lossless exclude each other")
    priority = parse_priority(given.get("priority"))
    return ConversionRequest(format, given.get("quality"), q, options, priority)


def parse_md5(value: str) -> str | None:
    """The MD5 in lower case, or None if `value` is not 32 hex digits."""
    return value.lower() if _MD5.fullmatch(value) else None


def picture_of(job_id: str) -> str:
    """The MD5 of a job's picture, with which the id of the job begins."""
    return job_id[:MD5_DIGITS]

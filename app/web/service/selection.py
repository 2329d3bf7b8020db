"""Which conversions of a picture are meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, told
from app.core.jobs.job import PictureJob
from app.core.picture.conversion import Conversion, parse_options, parse_q
from imaging.formats import Format, is_auto, is_open, parse_format, parse_formats
from imaging.options import Options
from imaging.options.asked import is_auto_quality
from imaging.options.values import shown


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters; None matches everything."""

    format: Format | None
    """Of the result."""
    quality: int | None
    options: Options | None
    is_open: bool = False
    """Whether those alone are meant whose format was left open; for whatever formats, unless the
    options name them."""

    def matches(self, job: PictureJob) -> bool:
        """Whether a job is one of those that are meant."""
        conversion = job.conversion
        return (
            self.format in (None, job.format)
            and self.quality in (None, conversion.quality)
            and not (self.is_open and conversion.format)
            and (self.options is None or self._options_for(conversion) == conversion.options)
        )

    def _options_for(self, conversion: Conversion) -> Options | None:
        """The options that a conversion has if it is meant."""
        if not self.is_open or self.options is None or self.options.formats:
            return self.options
        # A list, or `auto`, loses at the upload what none of its formats knows.
        return replace(self.options, formats=conversion.options.formats).for_format(None)

    def takes_as_plain(self, conversion: Conversion) -> bool:
        """Whether a conversion counts as one without options, which comes first."""
        return conversion.is_bare if self.is_open else conversion.is_plain

    def names(self, conversion: Conversion) -> bool:
        """Whether these match only one conversion of a picture."""
        if self.format is None:
            return False
        quality = self.quality is not None or not self.format.has_quality
        return quality and (self.options is not None or conversion.is_plain)


def selection_of(given: Mapping[str, Any], settings: Settings) -> Selection:
    """The filters in an object in JSON, which names them as `/status` does.

    Raises:
        UnsupportedFormat, InvalidOption: if one cannot be understood.
    """
    name = given.get("format")
    if not is_open(name):
        with told():
            format = parse_format(name) if name else None
        return Selection(format, _quality(given), _options(given, settings))
    if not is_auto(name):
        with told():
            formats = parse_formats(name, settings.asked.auto)
        given = {**given, "options": {**(given.get("options") or {}), "formats": formats}}
    return Selection(None, _quality(given), _options(given, settings), is_open=True)


def _quality(given: Mapping[str, Any]) -> int | None:
    if (q := parse_q(given.get("q"))) is not None:
        return q
    quality = given.get("quality")
    if quality is None:
        return None
    if isinstance(quality, bool) or not isinstance(quality, int) or not 0 <= quality <= 100:
        raise InvalidOption(
            f"quality should be a number from 0 to 100, as /status names it (it is "
            f"{shown(quality)})"
        )
    return quality


def _options(given: Mapping[str, Any], settings: Settings) -> Options | None:
    options = given.get("options")
    if options is None and is_auto_quality(given.get("q")):
        options = {"q": given["q"]}
    if options is None:
        return None
    if not isinstance(options, dict):
        raise InvalidOption(f"options should be an object (it is {shown(options)})")
    return parse_options(options, settings.engine.effort, settings.limits.max_pixels)

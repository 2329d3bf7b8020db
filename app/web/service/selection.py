"""Which conversions of a picture are meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, told
from app.core.picture.conversion import Conversion, parse_options, parse_q
from imaging.formats import Format, parse_format
from imaging.options import Options, is_auto
from imaging.values import shown


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters; None matches everything."""

    format: Format | None
    quality: int | None
    options: Options | None

    def matches(self, conversion: Conversion) -> bool:
        """Whether a conversion is one of those that are meant."""
        return (
            self.format in (None, conversion.format)
            and self.quality in (None, conversion.quality)
            and self.options in (None, conversion.options)
        )

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
    with told():
        format = parse_format(given["format"]) if given.get("format") else None
    return Selection(format, _quality(given), _options(given, settings))


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
    if options is None and is_auto(given.get("q")):
        options = {"q": given["q"]}
    if options is None:
        return None
    if not isinstance(options, dict):
        raise InvalidOption(f"options should be an object (it is {shown(options)})")
    return parse_options(options, settings.engine.effort, settings.limits.max_pixels)

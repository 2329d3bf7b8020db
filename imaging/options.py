"""What may be asked for beside format and quality, each with the server's own choice as default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from imaging.errors import InvalidOption

MAX_SIDE = 16_383
"""Pixels of the longest side that may be asked for; what WebP can hold at most (RFC 9649)."""

_COLOUR = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_DIGITS = re.compile(r"[0-9]{1,9}")
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}

_Choice = TypeVar("_Choice", bound=StrEnum)


class Effort(StrEnum):
    """How long an encoder may search for a smaller file."""

    FAST = "fast"  # the plain encoder
    BALANCED = "balanced"  # the best bytes for about twice the time
    SMALL = "small"  # all that the encoder has


class Fit(StrEnum):
    """How a picture is brought to a width and a height."""

    INSIDE = "inside"  # whole, within both, never enlarged
    COVER = "cover"  # fills both, what is over is cut off
    CONTAIN = "contain"  # whole, within both, with borders
    FILL = "fill"  # stretched to both


class Gravity(StrEnum):
    """Which part `cover` keeps."""

    CENTRE = "centre"
    ATTENTION = "attention"  # where the eye goes first


class Keep(StrEnum):
    """Metadata that stays."""

    COPYRIGHT = "copyright"  # EXIF Copyright and Artist
    LOCATION = "location"  # EXIF GPS
    DATE = "date"  # EXIF dates
    ICC = "icc"  # the picture's own colour space and its profile


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one conversion. Equal ones, however they were written, are equal here."""

    lossless: bool = False
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""
    fit: Fit = Fit.INSIDE
    gravity: Gravity = Gravity.CENTRE
    background: str | None = None
    """Six lower-case hex digits; what transparency and borders become."""
    effort: Effort | None = None
    """None is what the settings say."""
    keep: tuple[Keep, ...] = ()
    """Without repetition, in the order of `Keep`."""

    @property
    def resizes(self) -> bool:
        """Whether the picture may get another size."""
        return self.width is not None or self.height is not None

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON data; {} if nothing does."""
        return {
            field.name: list(value) if isinstance(value, tuple) else value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Options:
        """The options that `to_dict` described."""
        values = dict(data)
        for name, kind in (("fit", Fit), ("gravity", Gravity), ("effort", Effort)):
            if name in values:
                values[name] = kind(values[name])
        if "keep" in values:
            values["keep"] = tuple(Keep(name) for name in values["keep"])
        return cls(**values)

    @property
    def name(self) -> str:
        """The options as a part of a job id: letters, digits, - and _; "" for the defaults."""
        return "-".join(f"{name}_{_text(value, '_')}" for name, value in self.to_dict().items())

    def __str__(self) -> str:
        """The options for people, as they would be asked for; "" for the defaults."""
        return " ".join(f"{name}={value}" for name, value in self.to_text().items())

    def to_text(self) -> dict[str, str]:
        """What differs from the defaults, as it would be asked for in a form or a query."""
        return {name: _text(value, ",") for name, value in self.to_dict().items()}


DEFAULTS = Options()

OPTION_NAMES = frozenset(field.name for field in fields(Options))
"""The names that clients use, in a form, in JSON and in a query."""


def parse_options(given: Mapping[str, object], default_effort: Effort, max_pixels: int) -> Options:
    """The options a client gives; an empty or missing value is the default.

    Args:
        given: text, or what JSON knows; names that are no options are passed over.
        default_effort: what the settings say; asked for by name it is the default too.
        max_pixels: pixels of the largest picture that may be asked for.

    Raises:
        InvalidOption: if a value is none, or several do not go together.
    """
    values = {
        name: value.strip() if isinstance(value, str) else value
        for name, value in given.items()
        if name in OPTION_NAMES and value is not None
    }
    values = {name: value for name, value in values.items() if value not in ("", [])}
    effort = parse_choice(Effort, "effort", values["effort"]) if "effort" in values else None
    options = Options(
        lossless=parse_flag("lossless", values.get("lossless")),
        width=_side("width", values.get("width")),
        height=_side("height", values.get("height")),
        fit=parse_choice(Fit, "fit", values.get("fit", Fit.INSIDE)),
        gravity=_gravity(values.get("gravity", Gravity.CENTRE)),
        background=_colour(values.get("background")),
        effort=None if effort is default_effort else effort,
        keep=_keep(values.get("keep", ())),
    )
    _check(options, max_pixels, values)
    return options


def parse_q(value: object) -> int | None:
    """The quality for any lossy format, 1 to 100, or None if none is given.

    Raises:
        InvalidOption: if it is something else.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    number = _number(value)
    if number is None or not 1 <= number <= 100:
        raise InvalidOption(f"q should be a number from 1 to 100 (it is {_shown(value)})")
    return number


def parse_flag(name: str, value: object) -> bool:
    """Whether a client sets a flag; not if it gives none.

    Raises:
        InvalidOption: if it gives something else than true, 1, yes, false, 0, no.
    """
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return False
    if isinstance(value, bool):
        return value
    flag = _WORDS.get(str(value).lower()) if isinstance(value, str | int) else None
    if flag is None:
        raise InvalidOption(f"{name} should be true or false (it is {_shown(value)})")
    return flag


def _check(options: Options, max_pixels: int, given: Mapping[str, object]) -> None:
    both = options.width is not None and options.height is not None
    if "fit" in given and not options.resizes:
        raise InvalidOption("fit needs a width or a height")
    if options.fit is not Fit.INSIDE and not both:
        raise InvalidOption(f"fit={options.fit} needs a width and a height")
    if "gravity" in given and options.fit is not Fit.COVER:
        raise InvalidOption("gravity needs fit=cover")
    # Within both the picture never becomes larger than it is.
    bounded = both and options.fit is not Fit.INSIDE
    if bounded and (options.width or 0) * (options.height or 0) > max_pixels:
        raise InvalidOption(
            f"{options.width} × {options.height} is "
            f"{(options.width or 0) * (options.height or 0)} pixels, more than the {max_pixels} "
            "allowed"
        )


def _number(value: object) -> int | None:
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _side(name: str, value: object) -> int | None:
    if value is None:
        return None
    number = _number(value)
    if number is None or not 1 <= number <= MAX_SIDE:
        raise InvalidOption(
            f"{name} should be pixels, from 1 to {MAX_SIDE} (it is {_shown(value)})"
        )
    return number


def parse_choice(kind: type[_Choice], name: str, value: object) -> _Choice:
    """The one of these that a client names, in any case.

    Raises:
        InvalidOption: if it is none of them.
    """
    try:
        return kind(value.lower() if isinstance(value, str) else "")
    except ValueError:
        raise InvalidOption(
            f"{name} should be one of {', '.join(kind)} (it is {_shown(value)})"
        ) from None


def _gravity(value: object) -> Gravity:
    return parse_choice(Gravity, "gravity", Gravity.CENTRE if value == "center" else value)


def _colour(value: object) -> str | None:
    if value is None:
        return None
    match = _COLOUR.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidOption(
            f"background should be a colour such as ffffff or #fff (it is {_shown(value)})"
        )
    digits = match[1].lower()
    return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)


def _keep(value: object) -> tuple[Keep, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise InvalidOption(f"keep should be some of {', '.join(Keep)} (it is {_shown(value)})")
    wanted = {
        parse_choice(Keep, "keep", name.strip() if isinstance(name, str) else name)
        for name in names
    }
    return tuple(keep for keep in Keep if keep in wanted)


def _text(value: object, separator: str) -> str:
    return separator.join(value) if isinstance(value, list) else str(value).lower()


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}…"

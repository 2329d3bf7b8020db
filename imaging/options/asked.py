"""The options that a client asks for, as text or JSON, and as `Options`."""

from __future__ import annotations

from collections.abc import Mapping

from imaging.errors import InvalidOption
from imaging.options import OPTIONS, Auto, Effort, Fit, Options
from imaging.options.values import Flag


def parse_options(given: Mapping[str, object], default_effort: Effort, max_pixels: int) -> Options:
    """The options a client gives; an empty or missing value is the default.

    Args:
        given: text, or what JSON knows; names that are not options are passed over.
        default_effort: what the settings say; asked for by name it is the default too.
        max_pixels: pixels of the largest picture that may be asked for.

    Raises:
        InvalidOption: if a value is invalid, or several conflict.
    """
    values = {
        name: value
        for name in OPTIONS
        if (value := _stripped(given.get(name))) is not None and value != []
    }
    parsed = {name: OPTIONS[name].kind.parse(name, value) for name, value in values.items()}
    if isinstance(parsed.get("q"), int):
        del parsed["q"]
    if parsed.get("effort") is default_effort:
        del parsed["effort"]
    options = Options(**parsed)
    _check(options, max_pixels, values)
    return options


def parse_q(value: object) -> int | None:
    """The number that is the quality of any lossy format, 1 to 100, or None if none is given.

    Raises:
        InvalidOption: if it is something else, and not a value of the option `q` either.
    """
    value = _stripped(value)
    q = None if value is None else OPTIONS["q"].kind.parse("q", value)
    return None if isinstance(q, Auto) else q


def is_auto_quality(value: object) -> bool:
    """Whether a client has the server find the quality."""
    return isinstance(value, str) and value.strip().lower() in list(Auto)


def parse_flag(name: str, value: object) -> bool:
    """Whether a client sets a flag; not if it gives none.

    Raises:
        InvalidOption: if it gives something else than true, 1, yes, false, 0, no.
    """
    value = _stripped(value)
    return value is not None and Flag().parse(name, value)


def _stripped(value: object) -> object:
    """A client's value without blanks around it; None if nothing is left."""
    return (value.strip() or None) if isinstance(value, str) else value


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
    pixels = (options.width or 0) * (options.height or 0)
    if bounded and pixels > max_pixels:
        raise InvalidOption(
            f"{options.width} × {options.height} is {pixels} pixels, more than the {max_pixels} "
            "allowed"
        )

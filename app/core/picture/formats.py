"""The formats that a client leaves open, of which the smallest file counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import InvalidOption, NotAllowed, told
from imaging.formats import Format, is_open, parse_formats
from imaging.options import asked

FORMAT = "format"
"""The field that names one format, or several."""

FORMATS = "formats"
"""The option that names several."""


@told()
def opened(
    given: Mapping[str, Any], auto: Sequence[Format], allowed: frozenset[Format] | None = None
) -> Mapping[str, Any]:
    """The fields of a client, in which `format` names one format at most, and `formats` two or
    more. What the client may not have, or cannot do what is asked for, is left out; one that is
    left is a `format`.

    Args:
        auto: what `auto` stands for.
        allowed: what the client may have; None for any.

    Raises:
        UnsupportedFormat: if a format is unknown.
        InvalidOption: if both name several, or none does what is asked for.
        NotAllowed: if the client may have none of them.
    """
    named, listed = given.get(FORMAT), given.get(FORMATS)
    if is_open(named):
        if not is_nothing(listed):
            raise InvalidOption(f"{FORMAT} and {FORMATS} exclude each other")
        given = {name: value for name, value in given.items() if name != FORMAT}
        listed = named
    if is_nothing(listed):
        return given
    formats = parse_formats(listed, auto)
    if asked.parse_flag("lossless", given.get("lossless")):
        formats = _left(formats, frozenset(f for f in formats if f.can_be_lossless))
        if not formats:
            raise InvalidOption("none of the formats can be lossless")
    if allowed is not None:
        left = _left(formats, allowed)
        if not left:
            names = ", ".join(each for each in Format if each in allowed)
            raise NotAllowed(f"This API key gives {names}, and not {', '.join(formats)}")
        formats = left
    if len(formats) > 1:
        return {**given, FORMATS: ",".join(formats)}
    rest = {name: value for name, value in given.items() if name != FORMATS}
    return {FORMAT: str(formats[0]), **rest}


def is_nothing(value: object) -> bool:
    """Whether a client gives no value."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _left(formats: Sequence[Format], of: frozenset[Format]) -> tuple[Format, ...]:
    return tuple(each for each in formats if each in of)

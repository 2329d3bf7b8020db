"""The types of pictures that the command `convert` names."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.errors import InvalidOption
from imaging.formats import AUTO_FORMATS, EXAMPLES, Format
from imaging.options.values import shown

ANY_TYPE = "*/*"
"""All types that the service itself converts to."""

ANY = AUTO_FORMATS

ALIASES = {"image/jpg": "image/jpeg"}

FOREIGN = frozenset({"image/jxl"})
"""Types of the service that are not written here: passed over among several, refused alone."""

_BY_TYPE = {format.media_type: format for format in Format if format.media_type not in FOREIGN}

_TYPE = {"type": "string", "enum": [*(format.media_type for format in Format), ANY_TYPE]}

TYPES = {
    "description": "Of several the smallest result counts.",
    "oneOf": [_TYPE, {"type": "array", "items": _TYPE}],
}
"""Their schema."""

EXAMPLE = sorted(format.media_type for format in EXAMPLES if format.output.has_alpha)


def parse_types(value: object) -> tuple[Format, ...]:
    """The formats of a type, or of a list of types; () for none.

    Raises:
        InvalidOption: if one is unknown, or none of them is written here.
    """
    if value is None:
        return ()
    named: Sequence[object] = value if isinstance(value, list) else [value]
    formats: list[Format] = []
    foreign = False
    for each in named:
        name = each.strip().lower() if isinstance(each, str) else ""
        name = ALIASES.get(name, name)
        if name == ANY_TYPE:
            formats += ANY
        elif name in _BY_TYPE:
            formats.append(_BY_TYPE[name])
        elif name in FOREIGN and len(named) > 1:
            foreign = True
        else:
            types = ", ".join((*_BY_TYPE, ANY_TYPE))
            raise InvalidOption(f"'convert.type' should be one of {types} (it is {shown(each)})")
    if foreign and not formats:
        raise InvalidOption(f"none of {shown(value)} can be written here")
    return tuple(dict.fromkeys(formats))

"""One picture in several widths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.core.errors import InvalidOption, told
from app.core.picture.conversion import ConversionRequest
from imaging.options import OPTIONS, Fit
from imaging.options.values import shown

WIDTHS = "widths"
"""The field that names them."""

MAX_WIDTHS = 20
"""Each is a conversion of its own."""


@told()
def parse_widths(given: object) -> tuple[int, ...]:
    """The widths that a client names, in a list or in a text with commas, each once, the smallest
    first; () for none.

    Raises:
        InvalidOption: if there are others than pixels, or too many.
    """
    if given is None or given in ("", []):
        return ()
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list) or len(parts) > MAX_WIDTHS:
        raise InvalidOption(
            f"{WIDTHS} should be pixels with commas between them, {MAX_WIDTHS} at most "
            f"(it is {shown(given)})"
        )
    kind = OPTIONS["width"].kind
    return tuple(
        sorted(
            {kind.parse(WIDTHS, each.strip() if isinstance(each, str) else each) for each in parts}
        )
    )


def with_width(fields: Mapping[str, object], widths: Sequence[int]) -> Mapping[str, object]:
    """The fields of an upload as they would ask for the first of the widths alone.

    Raises:
        InvalidOption: if they ask for another size too.
    """
    if not widths:
        return fields
    for name in ("width", "height"):
        if fields.get(name) not in (None, ""):
            raise InvalidOption(f"{WIDTHS} and {name} exclude each other")
    return {**fields, "width": widths[0]}


def check_one(requested: ConversionRequest) -> None:
    """See whether one conversion is asked for.

    Raises:
        InvalidOption: if several widths are.
    """
    if requested.widths:
        raise InvalidOption(f"{WIDTHS} is for /upload alone")


def one_each(requested: ConversionRequest, own: int | None) -> list[ConversionRequest]:
    """What is asked for of each width. Those beyond the picture's own are one of its own.

    Args:
        own: the width of the picture in pixels, None if it is not known.

    Raises:
        InvalidOption: if a preset has a height, or another way to fit; if the border is to be cut
            off, or a result to have few bytes: how wide it is then is not known before.
    """
    options = requested.options
    if options.fit is not Fit.INSIDE or options.height is not None:
        raise InvalidOption(f"{WIDTHS} goes with fit=inside alone, and without a height")
    if options.trim is not None:
        raise InvalidOption(
            f"{WIDTHS} and trim exclude each other: how wide the picture is without its border is "
            "not known before it is converted"
        )
    if options.max_bytes is not None:
        raise InvalidOption(
            f"{WIDTHS} and max_bytes exclude each other: a result that would have too many bytes "
            "gets fewer pixels, and another width than it is asked for"
        )
    widths = dict.fromkeys(min(width, own or width) for width in requested.widths)
    return [
        replace(requested, widths=(), options=replace(options, width=width)) for width in widths
    ]

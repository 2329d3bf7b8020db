"""The command `resize`: a new size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import InvalidOption
from app.web.tinify.described import NUMBER, an_object
from imaging.measures import Size
from imaging.options import Fit, Gravity
from imaging.options.values import shown


class Method(StrEnum):
    """How to resize."""

    SCALE = "scale"  # one side
    FIT = "fit"  # within both
    COVER = "cover"  # exactly both
    THUMB = "thumb"  # the same, and what is shown stays whole


@dataclass(frozen=True, slots=True)
class Resize:
    """A new size. One larger than the picture is as large as the picture."""

    method: Method
    width: int | None
    height: int | None
    gravity: object = None

    def fields(self, original: Size) -> dict[str, object]:
        """As fields of an upload; {} where the picture stays as large as it is.

        Args:
            original: the picture as it is shown.
        """
        width = None if self.width is None else min(self.width, original.width)
        height = None if self.height is None else min(self.height, original.height)
        unchanged = width in (None, original.width) and height in (None, original.height)
        if unchanged:
            return {}
        size: dict[str, object] = {"width": width, "height": height}
        match self.method:
            case Method.SCALE | Method.FIT:
                return size
            case Method.COVER:
                return {**size, "fit": Fit.COVER, "gravity": self.gravity or Gravity.ATTENTION}
            case Method.THUMB:
                return {**size, "fit": Fit.THUMB}


RESIZE = {
    **an_object(
        {},
        {
            "method": {"type": "string", "enum": [str(method) for method in Method]},
            "width": NUMBER,
            "height": NUMBER,
            "gravity": {"type": "string", "enum": [str(gravity) for gravity in Gravity]},
        },
    ),
    "description": "Never enlarges. `gravity` is for `cover`, and of this server alone.",
}
"""Its schema."""


def parse_resize(given: Mapping[str, Any]) -> Resize | None:
    """The size that the members of the command ask for; None if they ask for none.

    Raises:
        InvalidOption: if a member is wrong, or does not go with the others.
    """
    width, height = _side("width", given.get("width")), _side("height", given.get("height"))
    sides = (width is not None) + (height is not None)
    named = given.get("method")
    if named is None:
        if not sides:
            if given.get("gravity") is not None:
                raise InvalidOption("'resize' should have a width or a height")
            return None
        # As clients mean it that name none.
        method = Method.SCALE if sides == 1 else Method.FIT
    else:
        method = _method(named)
    wanted = 1 if method is Method.SCALE else 2
    if sides != wanted:
        what = "either a width or a height" if wanted == 1 else "both a width and a height"
        raise InvalidOption(f"'resize' with method '{method}' should have {what}")
    gravity = given.get("gravity")
    if gravity is not None and method is not Method.COVER:
        raise InvalidOption(f"'resize.gravity' needs the method '{Method.COVER}'")
    return Resize(method, width, height, gravity)


def _method(named: object) -> Method:
    try:
        return Method(named.strip().lower() if isinstance(named, str) else "")
    except ValueError:
        raise InvalidOption(
            f"'resize.method' should be one of {', '.join(Method)} (it is {shown(named)})"
        ) from None


def _side(name: str, value: object) -> int | None:
    """Pixels; None where nothing or 0 is given, which some clients send for nothing."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value.strip()[:10])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value == "":
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidOption(f"'resize.{name}' should be at least 1 (it is {shown(value)})")
    return value or None

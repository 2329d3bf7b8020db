"""On a colour, where that is asked for or the format holds no alpha."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from imaging.errors import TRANSPARENT, PictureError
from imaging.options import Alpha
from imaging.source import Source
from imaging.target import Target

OPAQUE = 255


def apply(source: Source, target: Target) -> Source:
    """White, if no colour is asked for.

    Raises:
        PictureError: if it is transparent, and that is asked to be refused.
    """
    background = target.options.background
    if target.format.output.has_alpha and background is None:
        return source
    if target.options.alpha is Alpha.REFUSE and background is None and is_transparent(source):
        raise PictureError(
            f"the picture is transparent and {target.format} is not: give a background", TRANSPARENT
        )
    return replace(source, image=flatten(source.image, background))


def is_transparent(source: Source) -> bool:
    """Whether any pixel is not opaque."""
    image = source.image
    return bool(image.hasalpha() and image[image.bands - 1].min() < OPAQUE)


def flatten(image: pyvips.Image, background: str | None = None) -> pyvips.Image:
    """The image without alpha, on a colour.

    Args:
        background: six hex digits; white without one.
    """
    if not image.hasalpha():
        return image
    red, green, blue = rgb(background)
    if image.bands == 2:
        if red == green == blue:
            return image.flatten(background=[red])
        image = image.colourspace("srgb")
    return image.flatten(background=[red, green, blue])


def rgb(background: str | None) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of six hex digits; white without them."""
    red, green, blue = bytes.fromhex(background or "ffffff")
    return red, green, blue

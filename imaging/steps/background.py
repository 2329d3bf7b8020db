"""On a colour, where that is asked for, the format holds no alpha, or it holds the clear and the
opaque alone and most would be lost."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from imaging.errors import TRANSPARENT, PictureError
from imaging.options import Alpha
from imaging.source import Source
from imaging.target import Target

OPAQUE = 255

HALF = 128
"""The least alpha that is opaque in a format that knows no other."""

LOST = 0.4
"""What such a format may make of a picture's alpha: how far pixels become clearer or more opaque,
over how opaque all are together. Icons with soft edges are mostly below 0.23, a picture that fades
out from one side to the other is at 0.5, and one that is half transparent as a whole at 1."""

SEEN = 8
"""The least alpha of a pixel that is to be seen at all."""


def apply(source: Source, target: Target) -> Source:
    """White, if no colour is asked for.

    Raises:
        PictureError: if it is transparent, and that is asked to be refused.
    """
    background, output = target.options.background, target.format.output
    if output.has_alpha and background is None:
        if output.is_alpha_partial or not source.image.hasalpha():
            return source
        # It is looked at before it is written, and a stream gives its rows once.
        source = replace(source, image=source.image.copy_memory())
        if not is_translucent(source):
            return source
        if target.options.alpha is Alpha.REFUSE:
            raise _refusal("translucent", target)
        return replace(source, image=_matted(source.image))
    if target.options.alpha is Alpha.REFUSE and background is None and is_transparent(source):
        raise _refusal("transparent", target)
    return replace(source, image=flatten(source.image, background))


def _refusal(what: str, target: Target) -> PictureError:
    return PictureError(
        f"the picture is {what} and {target.format} is not: give a background", TRANSPARENT
    )


def is_transparent(source: Source) -> bool:
    """Whether any pixel is not opaque."""
    image = source.image
    return bool(image.hasalpha() and image[image.bands - 1].min() < OPAQUE)


def is_translucent(source: Source) -> bool:
    """Whether too much is lost where every pixel has to be clear or opaque."""
    if not is_transparent(source):
        return False
    image = source.image
    counts = image[image.bands - 1].hist_find()
    numbers = memoryview(counts.write_to_memory()).cast("I")
    lost = sum(
        count * (alpha if alpha < HALF else OPAQUE - alpha) for alpha, count in enumerate(numbers)
    )
    return lost > LOST * sum(count * alpha for alpha, count in enumerate(numbers))


def holds(source: Source, target: Target) -> bool:
    """Whether the format has the transparency of the picture, or needs none."""
    output = target.format.output
    if target.options.background is not None or not is_transparent(source):
        return True
    return output.has_alpha and (output.is_alpha_partial or not is_translucent(source))


def _matted(image: pyvips.Image) -> pyvips.Image:
    """The image on white where it is seen, and clear elsewhere."""
    alpha = image[image.bands - 1]
    return flatten(image).bandjoin((alpha >= SEEN).ifthenelse(OPAQUE, 0).cast("uchar"))


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

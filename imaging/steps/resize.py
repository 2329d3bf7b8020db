"""To the width and height that are asked for."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from imaging.geometry import final_size, scaled_size, sides
from imaging.options import Fit, Gravity, Options
from imaging.source import Source
from imaging.steps.background import rgb
from imaging.target import Target

SHRINK_MARGIN = 2
"""How many times larger than needed a picture stays when its decoder makes it smaller: a decoder
averages whole blocks, and the last step, with libvips's Lanczos kernel, is to be the one seen."""


def shrink_on_load(width: int, height: int, options: Options) -> float:
    """How many times smaller the decoder may make a picture of this size, 1 if it may not.

    Args:
        width: pixels of the picture as it will be shown, turned if it is.
        height: as `width`.
    """
    if not options.resizes:
        return 1
    factors = [size / wanted for size, wanted in sides(width, height, options)]
    # All but inside and contain use up the picture in the direction that shrinks least.
    whole = options.fit in (Fit.INSIDE, Fit.CONTAIN)
    factor = (max(factors) if whole else min(factors)) / SHRINK_MARGIN
    # A strip keeps a pixel of its shorter side.
    return max(1.0, min(factor, width, height))


def reads_in_any_order(options: Options) -> bool:
    """Whether `apply` looks at pixels more than once, or not row by row."""
    return options.gravity is Gravity.ATTENTION


def apply(source: Source, target: Target) -> Source:
    """Every frame alike. The source is upright, and of 8 bit in sRGB or grey.

    Raises:
        PictureError: if it is larger then than a picture may be: how many frames there are is not
            known before.
    """
    options = target.options
    if not options.resizes:
        return source
    final = final_size(*source.size, options)
    target.limits.check_size(final.width, final.height, source.frames)
    scaled = scaled_size(*source.size, options)
    width, height = scaled.width, scaled.height
    frames = source.each_frame()
    if options.fit is Fit.COVER:
        window = _window(frames[0], width / height, options.gravity)
        frames = [frame.crop(*window) for frame in frames]
    if (frames[0].width, frames[0].height) != (width, height):
        frames = [frame.thumbnail_image(width, height=height, size="force") for frame in frames]
    if options.fit is Fit.CONTAIN:
        frames = [_pad(frame, options) for frame in frames]
    image = pyvips.Image.arrayjoin(frames, across=1) if source.animated else frames[0]
    return replace(source, image=image, size=(frames[0].width, frames[0].height))


def _window(image: pyvips.Image, aspect: float, gravity: Gravity) -> tuple[int, int, int, int]:
    """Left, top, width and height of the largest part of this aspect ratio, width by height."""
    width = max(1, min(image.width, round(image.height * aspect)))
    height = max(1, min(image.height, round(image.width / aspect)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    if gravity is Gravity.ATTENTION and (width, height) != (image.width, image.height):
        _, eye = image.smartcrop(
            width, height, interesting="attention", attention_x=True, attention_y=True
        )
        left = min(max(0, eye["attention_x"] - width // 2), image.width - width)
        top = min(max(0, eye["attention_y"] - height // 2), image.height - height)
    return left, top, width, height


def _pad(image: pyvips.Image, options: Options) -> pyvips.Image:
    width, height = options.width, options.height
    if (image.width, image.height) == (width, height):
        return image
    border = list(rgb(options.background))
    opaque = options.background is not None
    if image.bands <= 2:
        if len(set(border)) == 1:
            border = border[:1]
        else:
            image = image.colourspace("srgb")
    if not image.hasalpha():
        image = image.addalpha()
    return image.gravity(
        "centre", width, height, extend="background", background=[*border, 255 if opaque else 0]
    )

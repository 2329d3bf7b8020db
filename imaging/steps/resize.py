"""To the width and height that are asked for."""

from __future__ import annotations

import pyvips

from imaging.options import Alpha, Fit, Options
from imaging.options.geometry import final_size, scaled_size, sides
from imaging.source import Source
from imaging.steps import thumb
from imaging.steps.background import rgb
from imaging.steps.window import best_window
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
    if not options.resizes or options.looks_first:
        return 1
    factors = [size / wanted for size, wanted in sides(width, height, options)]
    # All but inside and contain use up the picture in the direction that shrinks least.
    whole = options.fit in (Fit.INSIDE, Fit.CONTAIN)
    factor = (max(factors) if whole else min(factors)) / SHRINK_MARGIN
    # A strip keeps a pixel of its shorter side.
    return max(1.0, min(factor, width, height))


def reads_in_any_order(options: Options) -> bool:
    """Whether `apply` looks at pixels more than once, or not row by row."""
    return options.finds_eye or options.alpha is Alpha.REFUSE or options.looks_first


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
    frames = source.each_frame()
    if options.fit is Fit.THUMB:
        return source.with_frames(thumb.cut(frames, final))
    scaled = scaled_size(*source.size, options)
    width, height = scaled.width, scaled.height
    if options.fit is Fit.COVER:
        window = best_window(frames[0], width / height, finds_eye=options.finds_eye)
        frames = [frame.crop(*window) for frame in frames]
    if (frames[0].width, frames[0].height) != (width, height):
        frames = [frame.thumbnail_image(width, height=height, size="force") for frame in frames]
    if options.fit is Fit.CONTAIN:
        frames = [_pad(frame, options) for frame in frames]
    return source.with_frames(frames)


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
    return image.embed(
        (width - image.width) // 2,
        (height - image.height) // 2,
        width,
        height,
        extend="background",
        background=[*border, 255 if opaque else 0],
    )

"""With sharper edges."""

from __future__ import annotations

import pyvips

from imaging.source import Source
from imaging.target import Target

REACH = 0.05
"""The smallest weight of a pixel for the colour beside it. `sharpen` goes down to 0.1, so that it
meets no pixel without such a colour."""


def apply(source: Source, target: Target) -> Source:
    """Every frame by itself, by libvips's `sharpen`: the lightness (L* of CIELAB, so as it is seen
    and not in linear light) is set off from its own blur, colours stay. Flat parts, where that
    would be noise, stay as they are."""
    sigma = target.options.sharpen
    if sigma is None:
        return source
    return source.with_frames([_sharpened(frame, sigma) for frame in source.each_frame()])


def _sharpened(image: pyvips.Image, sigma: float) -> pyvips.Image:
    if not image.hasalpha():
        return image.sharpen(sigma=sigma)
    alpha, colours = image[image.bands - 1], image[: image.bands - 1]
    space = "srgb" if colours.bands > 1 else "b-w"
    colours = _continued(colours.copy(interpretation=space), alpha, sigma)
    return colours.sharpen(sigma=sigma).bandjoin(alpha).copy(interpretation=space)


def _continued(colours: pyvips.Image, alpha: pyvips.Image, sigma: float) -> pyvips.Image:
    """The colours, those of clear pixels taken from what is seen beside them: an edge to a colour
    that is not seen is none."""
    seen = (alpha > 0) / 255
    around, weight = (
        each.gaussblur(sigma, min_ampl=REACH, precision="float") for each in (colours * seen, seen)
    )
    beside = (around / weight).rint().cast("uchar")
    return (alpha > 0).ifthenelse(colours, beside)

"""Whether the colours of a picture change from pixel to pixel, so that halving them is seen."""

from __future__ import annotations

from PIL import Image, ImageChops

from imaging.write.strips import Picture, bands, even_strips

SAMPLE_PIXELS = 65_536
"""Pixels of the sample."""

MOST_LOSS = 2.5
"""The root mean square, of 255, of what Cb and Cr lose if four pixels share them. Smart subsampling
took 1 % more bytes at the same SSIMULACRA2 of 25 photographs that were measured below it, and 8 %
fewer of 6 above it. A JPEG whose own chroma is halved is below it, unless it was made smaller."""

ROUNDED = 0.2
"""The mean square, of both together, that is lost to whole numbers: 0.15 to 0.4 of 115 pictures."""


def is_fine(image: Picture) -> bool:
    """Whether chroma of half the width and height loses much.

    Args:
        image: sRGB or grey, of 8 bit, in memory; an animation is one tall picture.
    """
    if bands(image) < 3 or min(image.width, image.height) < 2:
        return False
    chroma = even_strips(image, SAMPLE_PIXELS).convert("YCbCr").split()[1:]
    return sum(map(_lost, chroma)) > MOST_LOSS**2 + ROUNDED


def _lost(channel: Image.Image) -> float:
    """The mean square of what is lost if four pixels share one value."""
    shared = channel.reduce(2).resize(channel.size, Image.Resampling.NEAREST)
    counts = ImageChops.difference(channel, shared).histogram()
    return sum(count * step * step for step, count in enumerate(counts)) / sum(counts)

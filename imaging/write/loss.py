"""The loss of colours as libimagequant measures it, for pngquant's scale of quality."""

from __future__ import annotations

import struct
from functools import cache

import pyvips

GAMMA: float = 0.57 / 0.45455
WEIGHTS = (0.5, 1.0, 0.45)
"""How libimagequant sees colours when it measures an error (its source, pam.h)."""


def mean_square(difference: pyvips.Image, area: int = 1) -> float:
    """The mean square error as libimagequant measures it, of what `weighed` makes of two pictures.

    Args:
        area: pixels of a side of the areas whose mean counts.
    """
    shrink = min(area, difference.width, difference.height)
    if shrink > 1:
        difference = difference.shrink(shrink, shrink)
    mean: float = (difference * difference).avg()
    return mean * int(difference.bands)


def weighed(image: pyvips.Image) -> pyvips.Image:
    """Red, green and blue as they are weighed, and as far as they are seen."""
    if image.bands < len(WEIGHTS):
        image = image.colourspace("srgb")
    seen = image.maplut(_table(image.bands))
    if image.bands == len(WEIGHTS):
        return seen
    return seen.extract_band(0, n=len(WEIGHTS)) * seen[len(WEIGHTS)]


@cache
def _table(bands: int) -> pyvips.Image:
    """What each value of each colour, and of alpha, counts: a table, as a step of arithmetic takes
    longer than all the pixels of a tiny picture."""
    colours = [[weight * (value / 255) ** GAMMA for weight in WEIGHTS] for value in range(256)]
    values = [number for value, row in enumerate(colours) for number in (*row, value / 255)[:bands]]
    data = struct.pack(f"{len(values)}f", *values)
    return pyvips.Image.new_from_memory(data, 256, 1, bands, "float")


def largest_error(quality: int) -> float:
    """The mean square error that this quality allows (libimagequant's quality_to_mse)."""
    low = max(0.0, 0.016 / (0.001 + quality) - 0.001)
    spread = float((210 + quality) ** 1.2)
    return low + 2.5 / spread * (100.1 - quality) / 100

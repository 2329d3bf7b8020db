"""The colour that most of a picture has."""

from __future__ import annotations

from collections import Counter
from itertools import product

_STEP = 16
"""Values of a band that are counted together. Two such steps in each band are one colour: of areas
that overlap, so that no colour falls between two."""

_CLEAR = "#ffffff"


def dominant(rgba: bytes) -> str:
    """The mean of the colours that are near each other in the largest part of what is seen, as
    `#rrggbb`; white if all of it is clear.

    Args:
        rgba: four bytes a pixel.
    """
    bands = [rgba[n::4] for n in range(4)]
    counts = Counter(zip(*bands, strict=True))
    seen = [(pixel[:3], pixel[3] * count) for pixel, count in counts.items() if pixel[3]]
    cells: Counter[tuple[int, ...]] = Counter()
    for (red, green, blue), weight in seen:
        cells[red // _STEP, green // _STEP, blue // _STEP] += weight
    weights: Counter[tuple[int, ...]] = Counter()
    for (red, green, blue), weight in cells.items():
        for r, g, b in product((0, 1), repeat=3):
            weights[red - r, green - g, blue - b] += weight
    if not weights:
        return _CLEAR
    # Of several that are as large the darkest.
    area = min(weights, key=lambda each: (-weights[each], each))
    least = [number * _STEP for number in area]
    inside = [
        (pixel, weight)
        for pixel, weight in seen
        if all(0 <= v - low < 2 * _STEP for v, low in zip(pixel, least, strict=True))
    ]
    whole = sum(weight for _, weight in inside)
    means = (round(sum(p[n] * weight for p, weight in inside) / whole) for n in range(3))
    return "#" + "".join(f"{mean:02x}" for mean in means)

"""The lowest frequencies of a small picture."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi
from operator import mul

Plane = Sequence[Sequence[float]]
"""The rows of one channel."""

DIGITS = 9
"""What is behind them depends on the machine, and of a picture of one colour it is all there is."""


def waves(plane: Plane, across: int, down: int, offset: float) -> list[list[float]]:
    """The mean of the channel times each cosine, by its waves down and then across.

    Args:
        across: so many frequencies, from 0 on.
        down: as `across`.
        offset: where in a pixel the cosine is taken, 0.5 for its middle.
    """
    by_row = [_sums(row, across, offset) for row in plane]
    by_column = [_sums(column, down, offset) for column in zip(*by_row, strict=True)]
    pixels = len(plane) * len(plane[0])
    return [[round(column[n] / pixels, DIGITS) for column in by_column] for n in range(down)]


def _sums(values: Sequence[float], count: int, offset: float) -> list[float]:
    step = pi / len(values)
    places = [(at + offset) * step for at in range(len(values))]
    return [sum(map(mul, values, [cos(place * n) for place in places])) for n in range(count)]

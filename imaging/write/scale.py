"""Numbers that were measured at some qualities and sizes, for those between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Scale = Sequence[tuple[float, float]]
"""Pairs of a quality that is asked for and what it is to the encoder or the eye, both rising."""


Budget = Sequence[tuple[float, int]]
"""Pairs of a number of pixels and the effort for a picture of no more, the pixels rising."""


def within(budget: Budget, pixels: int) -> int:
    """The effort for a picture of so many pixels."""
    return next((effort for most, effort in budget if pixels <= most), budget[-1][1])


def along(scale: Scale, quality: float) -> int:
    """The encoder's quality for the one asked for, as `between` has it, in whole numbers."""
    return round(between(scale, quality))


def between(scale: Scale, quality: float) -> float:
    """The second number for a first one, on straight lines between the pairs."""
    if quality <= scale[0][0]:
        return scale[0][1]
    for (low, from_), (high, to) in pairwise(scale):
        if quality <= high:
            return from_ + (to - from_) * (quality - low) / (high - low)
    return scale[-1][1]

"""The qualities that may be tried for one picture, and those that were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Tried = tuple[float, float]
"""A quality, and the look of one picture at it."""

STEP = 89, 90
"""Between these the chroma of a JPEG becomes whole, and the look takes a step: tenths count."""


@dataclass(frozen=True, slots=True)
class Qualities:
    """Those that may be tried: whole numbers, and tenths within `STEP`."""

    least: int
    most: int

    def nearest(self, quality: float) -> float:
        """The one that is nearest."""
        low, high = STEP
        return min(self.most, max(self.least, round(quality, 1 if low < quality < high else 0)))

    def all(self) -> list[float]:
        """All of them, rising."""
        low, high = STEP
        has_tenths = self.least <= low < high <= self.most
        tenths = [low + tenth / 10 for tenth in range(1, 10)] if has_tenths else []
        return sorted([*range(self.least, self.most + 1), *tenths])


def is_between(tried: Sequence[Tried], quality: float) -> bool:
    """Whether a quality is one of those that were tried, or between two of them."""
    qualities = [one for one, _ in tried]
    return min(qualities) <= quality <= max(qualities)


def way(tried: Sequence[Tried], quality: float) -> float:
    """How far a quality is from the nearest that was tried."""
    return min(abs(quality - one) for one, _ in tried)

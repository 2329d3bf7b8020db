"""How one picture looks at each quality, where the look rises by steps that pictures share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from imaging.auto.curve import Tried, way
from imaging.write.scale import Scale, between

LEAST_POWER, MOST_POWER = 0.5, 2.0
"""Between these the distance of a picture from 100 follows the typical one: of 56 pictures, 0.3 to
2.1."""

ALIKE = 0.02
"""Logarithm of the ratio of two typical distances that are too near each other to tell how those of
a picture differ."""

SMOOTHER = 1.36
"""Distance from 100 of the typical large picture at the number that is tried first, over that which
is wanted: most look better than that, at 77 as JPEGs of 66."""

FAR = 2
"""How far from the qualities that were tried the look is taken to be known."""


@dataclass(frozen=True)
class Stairs:
    """A format's typical looks, of large pictures of which a sample tells the look as it is.

    Args:
        looks: quality and SSIMULACRA2, at each number where it matters.
        qualities: all that may be tried, rising.
    """

    looks: Scale
    qualities: Sequence[float]
    near: ClassVar[float] = 1.2
    """Not all pictures have the steps."""
    moves: ClassVar[bool] = False

    def first(self, wanted: float) -> float:
        """As `Curve` has it."""
        return self.following([], 100 - (100 - wanted) * SMOOTHER)

    def following(self, tried: Sequence[Tried], wanted: float) -> float:
        """The quality at which the picture's look is nearest to the one that is wanted; the lowest
        of several.

        Args:
            tried: one or more qualities and the looks of the picture, the last one last; of the
                typical picture if there are none.
        """
        return min(self.qualities, key=lambda each: abs(self.look(tried, each) - wanted))

    def look(self, tried: Sequence[Tried], quality: float) -> float:
        """As `Curve` has it; that of the typical picture if none is known."""
        if not tried:
            return 100 - math.exp(self._logs[quality])
        below = max((one for one in tried if one[0] <= quality), default=None)
        above = min((one for one in tried if one[0] >= quality), default=None)
        if below and above and below[0] < above[0]:
            power = self._power(below, above)
            share = (quality - below[0]) / (above[0] - below[0])
            before, after = (self._distance(end, quality, power) for end in (below, above))
            return 100 - math.exp((1 - share) * math.log(before) + share * math.log(after))
        nearest = min(tried, key=lambda one: abs(one[0] - quality))
        power = self._power(*tried[-2:]) if len(tried) > 1 else 1.0
        return 100 - self._distance(nearest, quality, power)

    def knows(self, tried: Sequence[Tried], quality: float) -> bool:
        """As `Curve` has it: what is between two that were tried is not known, as not all pictures
        have the steps."""
        return way(tried, quality) <= FAR

    def _distance(self, seen: Tried, quality: float, power: float) -> float:
        """That from 100 at a quality, as the typical one changes from a look that was seen."""
        return max(0.1, 100 - seen[1]) * math.exp(power * self._way(seen[0], quality))

    def _power(self, one: Tried, other: Tried) -> float:
        """How the distance of the picture follows the typical one: the exponent."""
        typical = self._way(one[0], other[0])
        if abs(typical) < ALIKE:
            return 1.0
        own = math.log(max(0.1, 100 - other[1]) / max(0.1, 100 - one[1]))
        return min(MOST_POWER, max(LEAST_POWER, own / typical))

    def _way(self, quality: float, other: float) -> float:
        """The logarithm of the ratio of the typical distances."""
        return self._logs[other] - self._logs[quality]

    @cached_property
    def _logs(self) -> dict[float, float]:
        """The logarithms of the typical distances."""
        return {each: math.log(100 - between(self.looks, each)) for each in self.qualities}

"""How one large picture looks at each quality, by how such pictures do on average."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from imaging.auto.qualities import Tried, is_between
from imaging.write.scale import Scale, between

LEAST_POWER, MOST_POWER = 0.5, 2.0
"""Between these the distance of a picture from 100 follows the typical one."""

USUAL, OF_BITS = (0.4, 1.6), (1.27, 0.3)
"""The same of a picture of which only the bits of each pixel are known, and the line on which it is
by their logarithm: of 66 pictures smooth ones have few bits, and change little."""

ALIKE = 0.02
"""Logarithm of the ratio of two typical distances that are too near each other to tell how those of
a picture differ."""

UNSURE, UNSURE_OF_ALIKE = 0.35, 0.05
"""The same of two that tell as much of it as what is usual does: of a few tiles and of all, and of
all tiles at two qualities."""


def usual_power(bits: float) -> float:
    """How a picture's distance from 100 follows the typical one, as an exponent.

    Args:
        bits: of a pixel of it, at the quality that is typical.
    """
    least, most = USUAL
    at_one, slope = OF_BITS
    return min(most, max(least, at_one + slope * math.log(max(0.01, bits))))


@dataclass(frozen=True)
class LargeLooks:
    """A format's typical looks of large pictures.

    Args:
        looks: quality and SSIMULACRA2, at each number where it matters.
        qualities: all that may be tried, rising.
    """

    looks: Scale
    qualities: Sequence[float]

    def first(self, wanted: float) -> float:
        """The quality at which the typical picture has the look that is wanted."""
        return min(self.qualities, key=lambda each: abs(100 - math.exp(self._logs[each]) - wanted))

    def following(self, tried: Sequence[Tried], wanted: float, power: float) -> float:
        """The quality at which the picture's look is nearest to the one that is wanted; the lowest
        of several.

        Args:
            tried, power: as for `look`.
        """
        return min(self.qualities, key=lambda each: abs(self.look(tried, each, power) - wanted))

    def look(self, tried: Sequence[Tried], quality: float, power: float) -> float:
        """The look of the picture at a quality.

        Args:
            tried: one or two qualities and its looks there.
            power: how its distance from 100 follows the typical one.
        """
        if len(tried) > 1 and is_between(tried, quality):
            (low, _), (high, _) = below, above = min(tried), max(tried)
            share = (quality - low) / (high - low)
            power = self._own(below, above) or power
            before, after = (self._distance(end, quality, power) for end in (below, above))
            return 100 - math.exp((1 - share) * math.log(before) + share * math.log(after))
        nearest = min(tried, key=lambda one: abs(one[0] - quality))
        return 100 - self._distance(nearest, quality, power)

    def power(self, one: Tried, other: Tried, usual: float, *, are_alike: bool) -> float:
        """How the distance of the picture follows the typical one, by two looks as far as they are
        apart, and else as is usual.

        Args:
            are_alike: whether both are of the same tiles.
        """
        own = self._own(one, other)
        if own is None:
            return usual
        unsure = UNSURE_OF_ALIKE if are_alike else UNSURE
        share = 1 / (1 + (unsure / self._way(one[0], other[0])) ** 2)
        return share * own + (1 - share) * usual

    def _own(self, one: Tried, other: Tried) -> float | None:
        """The same by two looks alone; None where they are too near each other."""
        typical = self._way(one[0], other[0])
        if abs(typical) < ALIKE:
            return None
        own = math.log(max(0.1, 100 - other[1]) / max(0.1, 100 - one[1]))
        return min(MOST_POWER, max(LEAST_POWER, own / typical))

    def _distance(self, seen: Tried, quality: float, power: float) -> float:
        """That from 100 at a quality, as the typical one changes from a look that was seen."""
        return max(0.1, 100 - seen[1]) * math.exp(power * self._way(seen[0], quality))

    def _way(self, quality: float, other: float) -> float:
        """The logarithm of the ratio of the typical distances."""
        return self._logs[other] - self._logs[quality]

    @cached_property
    def _logs(self) -> dict[float, float]:
        """The logarithms of the typical distances."""
        return {each: math.log(100 - between(self.looks, each)) for each in self.qualities}

"""How one picture looks at each quality, where the look rises by steps that pictures share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

FAR, FAR_OF_TWO = 8, 3
"""How far from a quality that was tried the look is taken to be known: with a second look for
every picture no more of those of `BY_BITS` came within 1.5 points, as what a sample is off by is
more. And how far from two of them: pictures that need a second look are unlike the others."""

WORSE = 1.6
"""What a point below the look that is wanted counts next to one above it, by a single look: where a
picture is smoother than its sample, it is up to 5 points worse below a step than it was told."""

BITS = 0.15, 1.0
"""Bits a pixel of pictures that are smooth, and of those that are full of detail. Fewer or more say
nothing more."""

MIDDLE = 66
"""The quality that most pictures are first tried at."""

BY_BITS = (
    *((56, (0.037, 0.037)), (61, (0.037, 0.010)), (62, (-0.061, 0.034)), (64, (-0.051, 0.025))),
    *((MIDDLE, (0.0, 0.0)), (71, (0.036, -0.034)), (78, (0.147, -0.018)), (85, (0.343, -0.005))),
)
"""Quality, and what the distances from 100 of pictures of such `BITS` are over that at `MIDDLE`,
next to those of the typical picture: their logarithm. The step from 61 to 62 is large where a
picture is smooth. Fitted to 58 pictures of 2 to 4.5 megapixels, each where it scores 71 to 83: what
is left is 0.7 points (standard deviation) from 59 to 71, 1.3 at 78 and 1.9 at 85, where it was 0.9,
1.9 and 3.4 without. Either half of them gives nearly the same numbers."""


@dataclass(frozen=True)
class Stairs:
    """A format's typical looks, of large pictures of which a sample tells the look as it is.

    Args:
        looks: quality and SSIMULACRA2, at each number where it matters.
        qualities: all that may be tried, rising.
        bits: of each pixel of the picture, in the file that was tried first, if that is known.
    """

    looks: Scale
    qualities: Sequence[float]
    bits: float | None = None
    moves: ClassVar[bool] = False

    def of(self, bits: float) -> Stairs:
        """As `Curve` has it."""
        return replace(self, bits=bits)

    def first(self, wanted: float) -> float:
        """As `Curve` has it."""
        return self.following([], 100 - (100 - wanted) * SMOOTHER)

    def following(self, tried: Sequence[Tried], wanted: float) -> float:
        """The quality at which the picture's look is nearest to the one that is wanted, as far as
        `WORSE` lets it; the lowest of several.

        Args:
            tried: one or more qualities and the looks of the picture, the last one last; of the
                typical picture if there are none.
        """
        worse = WORSE if len(tried) == 1 else 1.0

        def cost(quality: float) -> float:
            above = self.look(tried, quality) - wanted
            return above if above >= 0 else worse * -above

        return min(self.qualities, key=cost)

    def look(self, tried: Sequence[Tried], quality: float) -> float:
        """As `Curve` has it; that of the typical picture if none is known."""
        if not tried:
            return 100 - math.exp(self._logs[quality])
        if len(tried) > 1 and self.bits is not None:
            return self._untold.look(tried, quality)
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

    def suffices(self, tried: Sequence[Tried], quality: float, wanted: float) -> bool:
        """As `Curve` has it."""
        return self.knows(tried, quality)

    def knows(self, tried: Sequence[Tried], quality: float) -> bool:
        """As `Curve` has it: also between two that were tried it is not known, as not all pictures
        have the steps."""
        return way(tried, quality) <= (FAR if len(tried) == 1 else FAR_OF_TWO)

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
    def _untold(self) -> Stairs:
        """The same of a picture of which the bits are not known: two looks tell more than they."""
        return replace(self, bits=None)

    @cached_property
    def _logs(self) -> dict[float, float]:
        """The logarithms of the distances of the typical picture that takes so many bits."""
        return {
            each: math.log(100 - between(self.looks, each)) + self._tilt(each)
            for each in self.qualities
        }

    def _tilt(self, quality: float) -> float:
        """What is added to the logarithm of the typical distance."""
        if self.bits is None:
            return 0.0
        low, high = (math.log(bits) for bits in BITS)
        share = (math.log(max(self.bits, BITS[0])) - low) / (high - low)
        few, many = (
            between([(each, of_bits[end]) for each, of_bits in BY_BITS], quality) for end in (0, 1)
        )
        return few + (many - few) * min(1.0, share)

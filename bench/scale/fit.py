"""A table fitted to looks, and how far it is off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING

from bench.scale.measured import Looks
from imaging.write.scale import Scale, between

if TYPE_CHECKING:
    from bench.scale.ways import Way

FLOOR = 10.0
"""The look that all below it counts as: there is nothing but blocks, and the score goes far below
0, where a few pictures would outweigh all others."""

STEPS = 1000
"""In so many parts the numbers that were measured are searched."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Looks less those of a plain JPEG at the same quality."""

    count: int
    mean: float
    spread: float
    """The standard deviation, of one picture."""
    worst: float

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return self.spread / sqrt(self.count)


def difference(apart: Sequence[float]) -> Difference | None:
    """None of fewer than two pictures."""
    if len(apart) < 2:
        return None
    return Difference(len(apart), mean(apart), stdev(apart), min(apart))


def look_at(points: Sequence[tuple[float, float]], number: float) -> float:
    """The look at a number, on straight lines between those that were measured."""
    return max(FLOOR, between(sorted(points), number))


def plain_at(looks: Looks, quality: int) -> float:
    """That of the plain JPEG."""
    return max(FLOOR, looks.plain[quality])


def fitted(way: Way, pictures: Sequence[Looks]) -> Scale:
    """The table with which these pictures have the mean look of a plain JPEG: what stands below the
    way's first point and above its last stays as it is."""
    first, last = way.points[0], way.points[-1]
    return [
        *(pair for pair in way.scale if pair[0] < first),
        *((quality, _number(way, pictures, quality)) for quality in way.points),
        *(pair for pair in way.scale if pair[0] > last),
    ]


def _number(way: Way, pictures: Sequence[Looks], quality: int) -> float:
    """Where the mean look is the nearest."""
    wanted = mean(plain_at(looks, quality) for looks in pictures)
    worst, best = way.numbers[0], way.numbers[-1]
    tried = [worst + (best - worst) * step / STEPS for step in range(STEPS + 1)]

    def apart(number: float) -> float:
        return abs(mean(look_at(looks.ways[way.name], number) for looks in pictures) - wanted)

    return round(_least(apart, tried), way.digits)


def _least(apart: Callable[[float], float], tried: Sequence[float]) -> float:
    """The first of the numbers at which what falls and then rises is least."""
    low, high = 0, len(tried) - 1
    while low < high:
        middle = (low + high) // 2
        if apart(tried[middle]) <= apart(tried[middle + 1]):
            high = middle
        else:
            low = middle + 1
    return tried[low]


def with_table(way: Way, scale: Scale, pictures: Sequence[Looks], quality: int) -> list[float]:
    """How far each picture would be from a plain JPEG with this table."""
    number = between(scale, quality)
    number = round(number) if way.is_whole else number
    return [look_at(looks.ways[way.name], number) - plain_at(looks, quality) for looks in pictures]

"""How pictures look, on average, at each quality."""

from __future__ import annotations

import math
from collections.abc import Sequence

from imaging.auto.qualities import Tried
from imaging.write.scale import between

LOOKS = (
    *((1, 2.0), (10, 13.0), (20, 31.0), (30, 47.5), (40, 56.5), (50, 62.2), (60, 66.2), (65, 68.7)),
    *((70, 71.3), (75, 74.0), (80, 77.0), (85, 80.2), (89, 82.9), (90, 87.3), (95, 91.7)),
    (100, 96.0),
)
"""Quality and SSIMULACRA2 of libjpeg-turbo, which every format looks like at the same number: the
mean of 163 photographs and 55 graphics (`script/bench scale`), which differ by 6 to 13 points
(standard deviation). At 90 it begins to keep chroma whole."""

_QUALITIES = tuple((look, quality) for quality, look in LOOKS)

LEAST_POWER, MOST_POWER = 0.6, 2.0
"""Between these the distance of a picture from 100 is taken to follow the typical one, beyond the
qualities that were tried."""

UNSURE = 0.15
"""How far apart, as the logarithms of their typical distances from 100, two qualities are where
their looks say as much of how a picture follows them as what is usual does: an encoder's look at
one quality may be a point off the line. With it 0.93 of 82 small pictures were within 1.5 points,
and 0.90 without."""


def distance(quality: float) -> float:
    """How far from 100 a picture looks at this quality, on average."""
    return 100 - between(LOOKS, quality)


def quality(distance: float) -> float:
    """The quality at which a picture looks so far from 100, on average."""
    return between(_QUALITIES, 100 - distance)


def following(tried: Sequence[Tried], wanted: float, power: float = 1.0) -> float:
    """The quality at which a picture has the look that is wanted.

    Args:
        tried: one or more qualities, the last one last: between two of them where that is possible,
            and else as far from the nearest as pictures change on average.
        power: how a picture's distance follows the typical one, where a single look tells it.
    """
    worse = max((one for one in tried if one[1] < wanted), key=lambda one: one[1], default=None)
    better = min((one for one in tried if one[1] >= wanted), key=lambda one: one[1], default=None)
    if worse and better and worse[0] < better[0]:
        return _step(worse, exponent(worse, better), wanted)
    nearest = min(tried, key=lambda one: abs(one[1] - wanted))
    if len(tried) > 1:
        power = _likely(tried[-2], tried[-1], power)
    return _step(nearest, min(MOST_POWER, max(LEAST_POWER, power)), wanted)


def look(tried: Sequence[Tried], quality: float, power: float = 1.0) -> float:
    """The look that a picture has at a quality, by those that are known.

    Args:
        tried, power: as for `following`.
    """
    known = dict(tried)
    if quality in known:
        return known[quality]
    if len(tried) > 1:
        power = _likely(tried[-2], tried[-1], power)
    before, seen = tried[-1]
    return 100 - (100 - seen) * math.pow(distance(quality) / distance(before), power)


def exponent(one: Tried, other: Tried) -> float:
    """How the distance of one picture follows the typical one: the exponent."""
    typical = math.log(distance(one[0]) / distance(other[0]))
    own = math.log(max(0.1, 100 - one[1]) / max(0.1, 100 - other[1]))
    return own / typical if typical else 1.0


def _likely(one: Tried, other: Tried, power: float) -> float:
    """The exponent of two looks, as far as they are apart, and else the usual one."""
    apart = math.log(distance(one[0]) / distance(other[0]))
    share = 1 / (1 + (UNSURE / apart) ** 2) if apart else 0.0
    return share * exponent(one, other) + (1 - share) * power


def _step(tried: Tried, power: float, wanted: float) -> float:
    before, seen = tried
    ratio = (100 - wanted) / max(0.1, 100 - seen)
    return quality(min(99.0, distance(before) * math.pow(ratio, 1 / power)))

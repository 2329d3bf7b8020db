"""The largest setting of an encoder whose file has no more bytes than it may have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

CLOSE = 0.97
"""A file of this share of the limit is not tried to be made larger."""

AIM, CAREFUL_AIM = 0.985, 0.9
"""The share of the limit that the next file is to have, and the last of several if none before it
has fitted: what a guess is off by."""

POWERS = (0.2, 3.0)
"""Least and largest power of the curve: what two files say that differ by little may be wrong."""

Shape = Callable[[int], float]
"""How the bytes depend on the setting; only their ratios count."""


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search."""

    setting: int | None
    """The largest that fits of those tried; None if none does."""
    data: bytes
    """Its file, or the smallest of those tried."""


def largest(
    write: Callable[[int], bytes],
    limit: int,
    *,
    low: int,
    high: int,
    shape: Shape,
    known: Mapping[int, float],
    is_estimate: bool = False,
    tries: int,
) -> Found:
    """The largest setting from `low` to `high` that was found to fit, and its file.

    The same for the same picture, whatever else the machine does. The first guess is by the ratio
    of bytes along the curve `shape`; what is written after it bends that curve. Where nothing has
    fitted before the last try, that is at `low`.

    Args:
        write: the file at a setting; a larger one has more bytes, as a rule.
        limit: bytes.
        known: bytes at one setting or more, which may be beyond `high`.
        is_estimate: whether these count until there is a file, and no longer.
        tries: files that are written, 1 or more.
    """
    sizes = dict(known)
    best: Found | None = None
    smallest = b""
    below, above = low - 1, high + 1
    for left in range(tries, 0, -1):
        if below + 1 >= above or (best is not None and len(best.data) >= CLOSE * limit):
            break
        setting = low
        if best is not None or left > 1:
            # Better a little too small than as small as can be.
            aim = CAREFUL_AIM if best is None and left == 2 < tries else AIM
            setting = _guess(sizes, shape, aim * limit, below + 1, above - 1)
        data = write(setting)
        if is_estimate and not smallest:
            sizes = {}
        sizes[setting] = len(data)
        if not smallest or len(data) < len(smallest):
            smallest = data
        if len(data) <= limit:
            best, below = Found(setting, data), setting
        else:
            above = setting
    return best or Found(None, smallest)


def expected(sizes: Mapping[int, float], shape: Shape, setting: int) -> float:
    """The bytes at a setting: a power of the curve that leads through the two known sizes next to
    it, or through the only one.

    Args:
        sizes: bytes by setting, one or more.
    """
    near = sorted(sizes, key=lambda each: abs(math.log(shape(each) / shape(setting))))
    first = near[0]
    # Of those on both sides, if there are any on both.
    second = next((each for each in near if (each < setting) != (first < setting)), None)
    if second is None and len(near) > 1:
        second = near[1]
    power = 1.0
    if second is not None and shape(first) != shape(second):
        power = math.log(sizes[first] / sizes[second]) / math.log(shape(first) / shape(second))
        power = min(max(power, POWERS[0]), POWERS[1])
    return float(sizes[first] * (shape(setting) / shape(first)) ** power)


def _guess(sizes: Mapping[int, float], shape: Shape, aim: float, low: int, high: int) -> int:
    """The largest setting whose bytes are expected to be no more than `aim`; else `low`."""
    fitting = (each for each in range(high, low, -1) if expected(sizes, shape, each) <= aim)
    return next(fitting, low)

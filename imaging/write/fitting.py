"""The largest setting of an encoder whose file has no more bytes than it may have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

CLOSE = 0.97
"""A file of this share of the limit is not tried to be made larger."""

AIM, CAREFUL_AIM = 0.985, 0.9
"""The share of the limit that the next file is to have, and the last of several if none before it
has fitted: what a guess is off by."""

POWERS = (0.2, 3.0)
"""Least and largest power of the curve: what two files say that differ by little may be wrong."""

NO_USE = 1.15
"""The share of the limit from which on the next setting is not tried where one has fitted."""

FEWER = 0.85
"""A larger setting whose file has less than this share of the bytes looks worse: it is a palette
that was dithered less."""

ROUGHLY = (0.75, 1.12)
"""The shares of the limit between which a file tells how what fits is going to look."""

Shape = Callable[[int], float]
"""How the bytes depend on the setting; only their ratios count."""


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome of a search."""

    setting: int | None
    """The largest that fits of those tried, but for far smaller files; None if none does."""
    data: bytes
    """Its file, or the smallest of those tried."""


class Search:
    """A search for the largest setting that fits, which can be stopped and gone on with.

    The same for the same picture, whatever else the machine does. The first guess is by the ratio
    of bytes along the curve `shape`; what is written after it bends that curve. Where nothing has
    fitted before the last try, that is at `low`.
    """

    def __init__(
        self,
        write: Callable[[int], bytes],
        limit: int,
        *,
        low: int,
        high: int,
        shape: Shape,
        known: Mapping[int, float],
        around: int = 0,
        is_estimate: bool = False,
        tries: int,
    ) -> None:
        """
        Args:
            write: the file at a setting from `low` to `high`; a larger one has more bytes, as a
                rule.
            limit: bytes.
            known: bytes at one setting or more, which may be beyond `high`.
            around: bytes of any file that do not depend on the setting.
            is_estimate: whether what is known counts until there is a file, and no longer.
            tries: files that are written, 1 or more.
        """
        self._write = write
        self._limit = limit
        self._low, self._shape, self._around = low, shape, around
        self._sizes = dict(known)
        self._is_estimate = is_estimate
        self._tries = self._left = tries
        self._below, self._above = low - 1, high + 1
        self._fitting: Found | None = None
        self._smallest = b""
        self._nearest = b""

    def run(self, *, roughly: bool = False) -> Found:
        """What was found, once no more is worth trying.

        Args:
            roughly: whether a file about as large as the limit is enough for now.
        """
        while self._left and self._may_gain and not self._is_close:
            if roughly and self._is_near:
                break
            self._try(self.next())
        return self.found

    @property
    def found(self) -> Found:
        return self._fitting or Found(None, self._smallest)

    @property
    def near(self) -> bytes | None:
        """A file about as large as the limit, on either side, or else the one that was found."""
        if self._is_near:
            return self._nearest
        return self._fitting.data if self._fitting else None

    @property
    def fills(self) -> bool:
        """Whether a file was found that takes most of the limit: the settings above it may have had
        far more bytes."""
        return self._fitting is not None and len(self._fitting.data) >= ROUGHLY[0] * self._limit

    @property
    def _is_near(self) -> bool:
        least, most = (share * self._limit for share in ROUGHLY)
        return least <= len(self._nearest) <= most

    @property
    def sizes(self) -> Mapping[int, float]:
        """Bytes by setting: of what was written, and what is known beside."""
        return self._sizes

    @property
    def _is_close(self) -> bool:
        return self._fitting is not None and len(self._fitting.data) >= CLOSE * self._limit

    @property
    def _may_gain(self) -> bool:
        """Whether there is a setting left that may fit."""
        if self._below + 1 >= self._above:
            return False
        return self._fitting is None or self.expected(self._below + 1) <= NO_USE * self._limit

    def next(self) -> int:
        """The setting that is tried next."""
        if self._fitting is None and self._left == 1:
            return self._low
        # Better a little too small than as small as can be.
        is_last = self._fitting is None and self._left == 2 < self._tries
        aim = (CAREFUL_AIM if is_last else AIM) * self._limit
        low, high = self._below + 1, self._above - 1
        fitting = (n for n in range(high, low, -1) if self.expected(n) <= aim)
        return next(fitting, low)

    def expected(self, setting: int) -> float:
        """The bytes at a setting, by what is known by now."""
        return expected(self._sizes, self._shape, setting, self._around)

    def _try(self, setting: int) -> None:
        data = self._write(setting)
        self._left -= 1
        if self._is_estimate and not self._smallest:
            self._sizes = {}
        self._sizes[setting] = len(data)
        if not self._smallest or len(data) < len(self._smallest):
            self._smallest = data
        if not self._nearest or self._off(data) < self._off(self._nearest):
            self._nearest = data
        if len(data) <= self._limit:
            if self._fitting is None or len(data) >= FEWER * len(self._fitting.data):
                self._fitting = Found(setting, data)
            self._below = setting
        else:
            self._above = setting

    def _off(self, data: bytes) -> float:
        """How far the bytes of a file are from the limit, as a logarithm."""
        return abs(math.log(len(data) / self._limit))


def largest(write: Callable[[int], bytes], limit: int, **how: Any) -> Found:
    """What a `Search` finds that gets these arguments."""
    return Search(write, limit, **how).run()


def expected(sizes: Mapping[int, float], shape: Shape, setting: int, around: int = 0) -> float:
    """The bytes at a setting: a power of the curve that leads through the two known sizes next to
    it, or through the only one.

    Args:
        sizes: bytes by setting, one or more.
        around: bytes that do not depend on the setting.
    """
    near = sorted(sizes, key=lambda each: abs(math.log(shape(each) / shape(setting))))
    first = near[0]
    # Of those on both sides, if there are any on both.
    second = next((each for each in near if (each < setting) != (first < setting)), None)
    if second is None and len(near) > 1:
        second = near[1]
    power = 1.0
    if second is not None and shape(first) != shape(second):
        ratio = max(1.0, sizes[first] - around) / max(1.0, sizes[second] - around)
        power = math.log(ratio) / math.log(shape(first) / shape(second))
        power = min(max(power, POWERS[0]), POWERS[1])
    pixels = max(1.0, sizes[first] - around)
    return around + float(pixels * (shape(setting) / shape(first)) ** power)

"""How many deliveries each recipient may have in work: one that hangs leaves room for others."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

AT_ONCE = 16
"""Deliveries that one process has in work; each has a thread, and for a moment two more."""

OF_ONE = 12
"""Of one recipient, so that there always is room for others."""

OF_SLOW = 4
"""Of one recipient that is slow."""

SLOW_SECONDS = 1.0
"""After which a delivery is slow, and so is its recipient until one is quicker."""

FIRST_SECONDS, STEP_SECONDS, LAST_SECONDS = 5.0, 0.25, 3600.0
"""When the first of a slow recipient's further deliveries is looked at again, how much later each
next one, and the last: thousands may wait, and to look at one costs some commands of Redis."""


@dataclass(slots=True)
class _Lane:
    began: dict[int, float] = field(default_factory=dict)
    slow: bool = False
    next_look: float = 0.0


class Lanes:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lanes: dict[str, _Lane] = defaultdict(_Lane)
        self._changed = threading.Condition()
        self._number = 0

    @property
    def busy(self) -> int:
        """Deliveries in work."""
        with self._changed:
            return self._busy()

    def wait(self, seconds: float) -> bool:
        """Wait until there is room for a delivery of anybody. Returns whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._busy() < AT_ONCE, seconds)

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is in work. Returns whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy(), seconds)

    def begin(self, recipient: str) -> int | None:
        """Take a place for a delivery; wait for one, as long as the recipient is not slow.

        Returns:
            what `end` wants; None if it has to be put off, by `put_off` seconds.
        """
        with self._changed:
            lane = self._lanes[recipient]
            while len(lane.began) >= self._limit(lane):
                if self._is_slow(lane):
                    return None
                self._changed.wait(SLOW_SECONDS / 4)
            self._number += 1
            lane.began[self._number] = self._clock()
            return self._number

    def end(self, recipient: str, number: int) -> None:
        """Give the place back."""
        with self._changed:
            lane = self._lanes[recipient]
            lane.slow = self._clock() - lane.began.pop(number) > SLOW_SECONDS
            if not lane.slow:
                lane.next_look = 0.0
                if not lane.began:
                    del self._lanes[recipient]  # there may be any number of recipients
            self._changed.notify_all()

    def put_off(self, recipient: str) -> float:
        """Seconds until a delivery that found no place is looked at again."""
        with self._changed:
            lane, now = self._lanes[recipient], self._clock()
            lane.next_look = max(now + FIRST_SECONDS, lane.next_look + STEP_SECONDS)
            lane.next_look = min(lane.next_look, now + LAST_SECONDS)
            return lane.next_look - now

    def _busy(self) -> int:
        return sum(len(lane.began) for lane in self._lanes.values())

    def _limit(self, lane: _Lane) -> int:
        return OF_SLOW if self._is_slow(lane) else OF_ONE

    def _is_slow(self, lane: _Lane) -> bool:
        now = self._clock()
        return lane.slow or any(now - began > SLOW_SECONDS for began in lane.began.values())

"""Calls of a library that hands its work to threads, made without these threads.

rayon, which oxipng computes with, starts a thread for the work. oxipng spins until that thread has
begun: up to a tick of the scheduler (4 ms) where no core is idle, and up to five times a call. On a
platform without threads rayon computes in the thread that calls it (rayon-core's registry.rs,
`default_global_registry`). So one thread of ours makes all calls, and for it starting a thread
fails as it does there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TypeVar

from imaging.process.confine import forbid_threads

T = TypeVar("T")


class Unthreaded:
    """A thread that makes calls and can start no thread.

    Where the platform cannot forbid it, the calls start threads and take longer.
    """

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self._outcomes: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()
        self._is_started = False

    def call(self, function: Callable[[], T]) -> T:
        """What the function returns. Only one thread may make calls; the first starts ours.

        Raises:
            BaseException: what the function raises.
        """
        if not self._is_started:
            threading.Thread(target=self._run, name="unthreaded", daemon=True).start()
            self._is_started = True
        self._calls.put(function)
        result, error = self._outcomes.get()
        if error is not None:
            raise error
        return result  # type: ignore[return-value] # of this function

    def _run(self) -> None:
        forbid_threads()
        while True:
            self._outcomes.put(_outcome(self._calls.get()))


def _outcome(function: Callable[[], object]) -> tuple[object, BaseException | None]:
    try:
        return function(), None
    except BaseException as error:
        return None, error

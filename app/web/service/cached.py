"""A value computed at most every n seconds, however many ask for it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cached(Generic[T]):
    """Answers all callers within `seconds` with one answer, found in a thread of its own: the
    threads of the loop may all be waiting for the same Redis.

    Args:
        find: finds the answer; it may block.
        seconds: how old an answer may be.
        patience: seconds that a caller waits for one.
    """

    def __init__(self, find: Callable[[], T], *, seconds: float, patience: float) -> None:
        self._find = find
        self._seconds = seconds
        self._patience = patience
        self._finding: asyncio.Future[T] | None = None
        self._found_at = 0.0

    async def get(self) -> T:
        """The answer.

        Raises:
            TimeoutError: if there is none in time. The next caller waits for the same one: a
                hanging `find` holds one thread, however many ask.
            Exception: whatever `find` raises, for all callers within `seconds`.
        """
        finding = self._finding
        if finding is None or (
            finding.done() and time.monotonic() - self._found_at > self._seconds
        ):
            finding = self._finding = self._start()
        done, _ = await asyncio.wait({finding}, timeout=self._patience)
        if not done:
            raise TimeoutError
        return finding.result()

    def _start(self) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()
        finding: asyncio.Future[T] = loop.create_future()

        def end(answer: T | None, error: Exception | None) -> None:
            self._found_at = time.monotonic()
            if error is None:
                finding.set_result(answer)  # type: ignore[arg-type]
            else:
                finding.set_exception(error)
                finding.exception()  # raised for each caller, and logged for none

        def run() -> None:
            answer, error = None, None
            try:
                answer = self._find()
            except Exception as caught:
                error = caught
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(end, answer, error)

        # Not an executor's thread: Python would wait for a hanging one before it ends.
        threading.Thread(target=run, name="cached", daemon=True).start()
        return finding

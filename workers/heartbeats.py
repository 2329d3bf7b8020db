"""The heartbeats of a worker while it has jobs."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from redis.exceptions import RedisError
from rq.executions import Execution
from rq.job import Job

HEARTBEAT_SECONDS = 4
HEARTBEAT_TTL = 16
"""Seconds without a heartbeat after which a job is abandoned and put back."""


class Heartbeats:
    """A thread that sends heartbeats while there is a job: one for all jobs, as starting one for
    each takes as long as the rest of the worker's own work for a small picture."""

    def __init__(self, beat: Callable[[Job, Execution], None]) -> None:
        """
        Args:
            beat: tells Redis that this run of the job goes on.
        """
        self._beat = beat
        self._in_hand: dict[str, tuple[Job, Execution]] = {}
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the thread, which ends with the process."""
        threading.Thread(target=self._run, name="heartbeats", daemon=True).start()

    @contextlib.contextmanager
    def during(self, job: Job, execution: Execution) -> Iterator[None]:
        """Beat for this run of the job, every `HEARTBEAT_SECONDS`; never after its end."""
        with self._lock:
            self._in_hand[execution.id] = (job, execution)
        try:
            yield
        finally:
            with self._lock:
                del self._in_hand[execution.id]

    def _run(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            with self._lock, contextlib.suppress(RedisError):
                for job, execution in self._in_hand.values():
                    self._beat(job, execution)

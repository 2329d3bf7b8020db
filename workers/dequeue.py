"""The next job: from which queue, and taken so that a kill cannot lose it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import redis
from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.job import Job

from app.core.jobs.new_job import queue_key
from app.core.jobs.queue.places import STREAK
from app.core.picture.priority import Priority

LOOK_SECONDS = 3
"""How long an idle worker waits at one queue before it looks at the others again. It is the
interactive one, which it serves at once; a first bulk picture may lie there for so long. Redis
cannot wait for several lists and move what comes from any of them, and a popped job could be lost.
It is also how long an idle worker may take to see a signal that the kernel gave to another of its
threads. Each look costs a command, and managed Redis is paid by the command."""


class Precedence:
    """The order in which a worker looks at its queues: as given, except that each later one
    is first now and then.

    After `STREAK` jobs in a row while later queues wait, the next job is theirs. So one of ten is
    bulk at any load: bulk proceeds, and costs the others a tenth at most. Each worker counts for
    itself, without shared state.
    """

    def __init__(self, names: Sequence[str]) -> None:
        """
        Args:
            names: the queues, highest priority first.
        """
        self._names = list(names)
        self._streak = 0
        self._turn = 1

    @property
    def order(self) -> list[str]:
        """The queues in the order for the next job."""
        if not self._is_turn_of_others:
            return list(self._names)
        return self._names[self._turn :] + self._names[: self._turn]

    def took(self, name: str) -> None:
        """Count a job from the queue `name`."""
        if self._is_turn_of_others:
            self._turn = self._turn % (len(self._names) - 1) + 1
            self._streak = 0
        elif name == self._names[-1]:
            self._streak = 0  # no queue waits
        else:
            self._streak += 1

    @property
    def _is_turn_of_others(self) -> bool:
        return len(self._names) > 1 and self._streak >= STREAK


class SafeQueue(Queue):
    """A queue whose jobs are in one of Redis's lists until they start.

    RQ does so only for a worker with one queue. With several it pops them (BLPOP), and a
    worker that is killed before it has begun takes the job with it.
    """

    @classmethod
    @lru_cache
    def from_queue_key(cls, *arguments: Any, **options: Any) -> Queue:  # type: ignore[override]
        """As RQ's own, which makes a queue for each job, but one for all jobs."""
        return super().from_queue_key(*arguments, **options)

    @classmethod
    def dequeue_any(  # noqa: PLR0917 - RQ's own
        cls,
        queues: Iterable[Queue],
        timeout: int | None,
        connection: redis.Redis,
        job_class: type[Job] | None = None,
        serializer: Any = None,
        death_penalty_class: Any = None,
    ) -> tuple[Job, Queue] | None:
        """The first job of the first queue that has one.

        Args:
            timeout: seconds to wait if there is none; None for no waiting.

        Returns:
            the job and its queue; None if there is none and `timeout` is None.

        Raises:
            DequeueTimeout: if no job arrives in time.
        """
        names = [queue.key for queue in queues]
        while True:
            taken = cls._take(connection, names, timeout)
            if taken is None:
                return None
            found = cls._fetch_dequeued_job(
                connection,
                *taken,
                job_class=job_class,
                serializer=serializer,
                death_penalty_class=death_penalty_class,
            )
            if found is not None:
                return found

    @classmethod
    def _take(
        cls, connection: redis.Redis, names: list[str], timeout: int | None
    ) -> tuple[str, str] | None:
        """The key of a queue and the id of the job that was moved out of it."""
        for name in names:
            if taken := cls.lmove(connection, name, None):
                return _as_text(taken)
        if timeout is None:
            return None
        key = queue_key(Priority.INTERACTIVE)
        wait_at = key if key in names else names[0]
        others = [name for name in names if name != wait_at]
        wait = min(timeout, LOOK_SECONDS)
        for _ in range(timeout // wait - 1):
            with contextlib.suppress(DequeueTimeout):
                return _as_text(cls.lmove(connection, wait_at, wait))
            for name in others:
                if taken := cls.lmove(connection, name, None):
                    return _as_text(taken)
        # The next call looks at the others first.
        return _as_text(cls.lmove(connection, wait_at, wait))


def _as_text(taken: tuple[str, bytes]) -> tuple[str, str]:
    return taken[0], taken[1].decode()

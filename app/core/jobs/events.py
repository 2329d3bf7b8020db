"""Publish and follow the steps of a job.

An event is a hint to read the status from RQ. So an event that arrives late, twice or never costs
only time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from enum import StrEnum

import redis
from redis.exceptions import RedisError

from app.core.jobs import keys
from app.core.picture.conversion import picture_of
from app.core.redis.client import connect_async
from app.core.redis.received import opened
from app.core.redis.subscription import Subscription

logger = logging.getLogger(__name__)

RECONNECT_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each new try to reach Redis; the last is for all further ones."""

HEALTH_CHECK_SECONDS = 10
"""How long the connection may be silent before it is checked."""

CANCEL_SECONDS = 0.5
"""Between two tries to end the listener."""


class Step(StrEnum):
    """A step of a job."""

    PROCESSING = "processing"  # a worker has taken it
    RETRYING = "retrying"  # it was put back
    DONE = "done"  # its result is stored: published in the transaction that records it
    FAILED = "failed"  # it has failed for good: published in the same way

    @property
    def is_final(self) -> bool:
        """Whether this is the last step."""
        return self in (Step.DONE, Step.FAILED)


def publish(connection: redis.Redis, job_id: str, step: Step) -> None:
    """Publish a step of a job to every server process; with a pipeline, when that is executed."""
    connection.publish(keys.EVENTS_CHANNEL, event(job_id, step))


def event(job_id: str, step: Step) -> str:
    """The message that tells of a step."""
    return json.dumps({"job": job_id, "step": step})


class Bell:
    """Rings at a step of one job, or of any job of a picture."""

    def __init__(self, *, only_final: bool = False) -> None:
        """
        Args:
            only_final: whether it stays silent at a step that does not end a job.
        """
        self._event = asyncio.Event()
        self._only_final = only_final
        self.final = False
        """Whether the last received step ends the job."""

    def ring(self, step: Step | None) -> None:
        """Wake the waiting task; None means that steps may have been missed."""
        if step is not None:
            if self._only_final and not step.is_final:
                return
            self.final = step.is_final
        self._event.set()

    async def wait(self, timeout: float) -> None:
        """Wait for the next ring, or `timeout` seconds."""
        # Not wait_for: before Python 3.12 it can swallow a cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._event.wait()
        self._event.clear()


class Events:
    """One pub/sub connection for a server process, fanned out to all followers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: dict[str, set[Bell]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """The number of followed jobs and pictures."""
        return len(self._bells)

    async def start(self) -> None:
        """Subscribe, and go on in the background until `stop`, over any loss of the connection."""
        subscribed = asyncio.Event()
        self._task = asyncio.create_task(self._listen(subscribed), name="events")
        # The server starts even without Redis: it answers 503 until Redis is reachable.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(subscribed.wait(), 5)

    async def stop(self) -> None:
        """Close the connection."""
        # Redis's client can swallow a cancellation, as one that comes while it connects.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)

    @contextlib.contextmanager
    def follow(self, name: str, *, only_final: bool = False) -> Iterator[Bell]:
        """A bell for a job by its id, or for all jobs of a picture by its MD5. Take it before
        reading the status, so that no step is missed.

        Args:
            only_final: as `Bell` takes it.
        """
        bell = Bell(only_final=only_final)
        self._bells[name].add(bell)
        try:
            yield bell
        finally:
            self._bells[name].discard(bell)
            if not self._bells[name]:
                del self._bells[name]

    def ring_all(self) -> None:
        """Wake all followers: steps may have been missed, or the server stops."""
        for bells in self._bells.values():
            for bell in bells:
                bell.ring(None)

    async def _listen(self, subscribed: asyncio.Event) -> None:
        attempt = 0

        def begun() -> None:
            nonlocal attempt
            attempt = 0
            subscribed.set()
            self.ring_all()

        pool = connect_async(self._url).connection_pool
        while True:
            try:
                subscription = await opened(
                    pool.make_connection(),
                    Subscription(keys.EVENTS_CHANNEL, begun, self._ring, HEALTH_CHECK_SECONDS),
                )
                try:
                    raise await asyncio.shield(subscription.ended)
                finally:
                    subscription.close()
            except (RedisError, OSError) as error:
                delay = RECONNECT_DELAYS[min(attempt, len(RECONNECT_DELAYS) - 1)]
                attempt += 1
                logger.warning("events: %s; next try in %s s", error or "closed", delay)
                await asyncio.sleep(delay)

    def _ring(self, data: bytes) -> None:
        try:
            event = json.loads(data)
            job_id, step = event["job"], Step(event["step"])
        except (ValueError, KeyError, TypeError):
            logger.warning("events: invalid message: %.200r", data)
            return
        for name in (job_id, picture_of(job_id)):
            for bell in self._bells.get(name, ()):
                bell.ring(step)

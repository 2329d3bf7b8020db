"""Publish and follow the steps of a job.

An event is a hint that there is something new to read; what it is, RQ says. So an event that comes
late, twice or never costs time and nothing else.
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

logger = logging.getLogger(__name__)

RECONNECT_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds before each new try to reach Redis; the last counts for all that follow."""

HEALTH_CHECK_SECONDS = 10
"""How often an idle connection is asked whether it lives."""

CANCEL_SECONDS = 0.5
"""Between two tries to end the listener."""


class Step(StrEnum):
    """What happened to a job."""

    PROCESSING = "processing"  # a worker has taken it
    RETRYING = "retrying"  # it was put back
    DONE = "done"  # its result is stored: told in the transaction by which RQ knows
    FAILED = "failed"  # it has failed for good: told in the same way

    @property
    def is_final(self) -> bool:
        """Whether no step comes after this one."""
        return self in (Step.DONE, Step.FAILED)


def publish(connection: redis.Redis, job_id: str, step: Step) -> None:
    """Tell every server process of a step of a job; with a pipeline, when that is executed."""
    connection.publish(keys.EVENTS_CHANNEL, json.dumps({"job": job_id, "step": step}))


class Bell:
    """Rings when something has happened to one job, or to one of a picture's."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self.final = False
        """Whether the last step heard of ends the job."""

    def ring(self, step: Step | None) -> None:
        """Wake who waits; None says that steps may have been missed."""
        if step is not None:
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
    """One pub/sub connection for a server process, fanned out to all who wait."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._bells: dict[str, set[Bell]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many jobs and pictures are followed."""
        return len(self._bells)

    async def start(self) -> None:
        """Subscribe, and go on in the background until `stop`, over any loss of the connection."""
        subscribed = asyncio.Event()
        self._task = asyncio.create_task(self._listen(subscribed), name="events")
        # Without Redis the server starts all the same: it says 503 until Redis is there.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(subscribed.wait(), 5)

    async def stop(self) -> None:
        """Give the connection back."""
        # Redis's client can swallow a cancellation, as one that comes while it connects again.
        while self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CANCEL_SECONDS)

    @contextlib.contextmanager
    def follow(self, name: str) -> Iterator[Bell]:
        """A bell for a job by its id, or for all jobs of a picture by its MD5. Take it first and
        read the status then, so that no step is missed."""
        bell = Bell()
        self._bells[name].add(bell)
        try:
            yield bell
        finally:
            self._bells[name].discard(bell)
            if not self._bells[name]:
                del self._bells[name]

    def ring_all(self) -> None:
        """Wake all who wait: steps may have been missed, or there is something else to see."""
        for bells in self._bells.values():
            for bell in bells:
                bell.ring(None)

    async def _listen(self, subscribed: asyncio.Event) -> None:
        attempt = 0
        while True:
            client = connect_async(self._url, health_check_interval=HEALTH_CHECK_SECONDS)
            try:
                async with client, client.pubsub() as pubsub:
                    await pubsub.subscribe(keys.EVENTS_CHANNEL)
                    while True:
                        # A timeout, so that a connection that died silently is noticed.
                        message = await pubsub.get_message(timeout=HEALTH_CHECK_SECONDS)
                        if message is None:
                            continue
                        if message["type"] == "subscribe":
                            attempt = 0
                            subscribed.set()
                            self.ring_all()
                        elif message["type"] == "message":
                            self._ring(message["data"])
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

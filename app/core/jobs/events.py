"""Publish and follow the steps of a job.

An event is a hint to read the status from RQ. So an event that arrives late, twice or never costs
only time. That of a picture also has what the same transaction records, so that who knows the job
already need not read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

import redis
from redis.exceptions import RedisError
from rq.utils import utcformat

from app.core.jobs import keys
from app.core.jobs.facts import Facts
from app.core.jobs.job import JobState, PictureJob, time_of
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
    PROCESSING = "processing"  # a worker has taken it
    RETRYING = "retrying"  # it was put back
    DONE = "done"  # its result is stored: published in the transaction that records it
    FAILED = "failed"  # it has failed for good: published in the same way

    @property
    def is_final(self) -> bool:
        """Whether this is the last step."""
        return self in (Step.DONE, Step.FAILED)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The state of a job that the transaction records which publishes its step."""

    token: str
    """Of its submission."""
    ended: datetime | None = None
    """When it has ended, if it is done."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Of the job, if it is done."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        if self.ended is None:
            return {"token": self.token}
        return {"token": self.token, "ended": utcformat(self.ended), "meta": self.meta}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """What `to_dict` described.

        Raises:
            ValueError, KeyError, TypeError: if it is something else.
        """
        ended = data.get("ended")
        return cls(data["token"], time_of(ended.encode()) if ended else None, data.get("meta", {}))


@dataclass(frozen=True, slots=True)
class Event:
    """A step of a job, as it is published."""

    job_id: str
    step: Step
    recorded: Recorded | None = None

    @classmethod
    def loads(cls, message: bytes) -> Self:
        """The event in a message.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: if the message holds no event.
        """
        told = json.loads(message.decode())  # json would look for its encoding
        recorded = told.get("recorded")
        if recorded is not None:
            recorded = Recorded.from_dict(recorded)
        return cls(told["job"], Step(told["step"]), recorded)

    def dumps(self) -> str:
        """The message that `loads` reads."""
        told: dict[str, Any] = {"job": self.job_id, "step": self.step}
        if self.recorded is not None:
            told["recorded"] = self.recorded.to_dict()
        return json.dumps(told)

    def after(self, job: PictureJob) -> PictureJob | None:
        """The job as it is after this step; None if it has to be read.

        Args:
            job: as it was before.
        """
        recorded = self.recorded
        if recorded is None or recorded.token != job.token:
            return None
        if self.step is Step.PROCESSING:
            return replace(job, state=JobState.PROCESSING)
        if self.step is not Step.DONE or recorded.ended is None:
            return None
        facts = Facts.from_meta(recorded.meta)
        return replace(job, state=JobState.DONE, ended=recorded.ended, facts=facts)


def publish(
    connection: redis.Redis, job_id: str, step: Step, recorded: Recorded | None = None
) -> None:
    """Publish a step of a job to every server process; with a pipeline, when that is executed."""
    connection.publish(keys.EVENTS_CHANNEL, Event(job_id, step, recorded).dumps())


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
        self._last: dict[str, Event] = {}
        """The last step of each job, until it is asked for."""
        self._missed = False

    def ring(self, event: Event | None) -> None:
        """Wake the waiting task; None means that steps may have been missed."""
        if event is None:
            self._missed = True
        elif self._only_final and not event.step.is_final:
            return
        else:
            self.final = event.step.is_final
            self._last[event.job_id] = event
        self._event.set()

    async def next_of(self, job_id: str, timeout: float) -> Event | None:
        """The last step of this job since it was last asked for, once there is one; None if steps
        may have been missed, or `timeout` seconds have passed."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout
        while True:
            if self._missed:
                self._missed = False
                self._last.clear()  # what is read now is newer
                return None
            if (event := self._last.pop(job_id, None)) is not None:
                return event
            left = ends - loop.time()
            if left <= 0:
                return None
            await self.wait(left)

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
            event = Event.loads(data)
        except (ValueError, KeyError, TypeError, AttributeError):
            logger.warning("events: invalid message: %.200r", data)
            return
        for name in (event.job_id, picture_of(event.job_id)):
            for bell in self._bells.get(name, ()):
                bell.ring(event)

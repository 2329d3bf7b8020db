"""Jobs followed by a server process: told each time that their state has changed."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from math import inf
from typing import TypeVar

from redis.exceptions import RedisError

from app.core.jobs.events import Bell, Events
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.picture.conversion import Conversion

logger = logging.getLogger(__name__)

T = TypeVar("T")

REREAD_SECONDS = 10.0
"""How often the status of a followed job is read when no event comes."""

CONFIRM_DELAYS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0)
"""Seconds between looks at RQ after an event that ends a job: workers of an older version send it
just before RQ knows."""

CONFIRM_SECONDS = 1.0
"""How long after such an event the status of a whole picture is read once more."""

PLACE_SECONDS = 1.0
"""How often the place of a waiting job is read for clients that ask for it."""

OUTAGE_SECONDS = 1.0
"""How often a follower of a job retries a Redis that cannot be reached."""


class Following:
    """The followers of jobs. Made once for each server process.

    Args:
        current: which of a picture's jobs it tells, in their order.
    """

    def __init__(
        self,
        queue: AsyncPictureQueue,
        events: Events,
        current: Callable[[Sequence[PictureJob]], Awaitable[list[PictureJob]]],
    ) -> None:
        self._queue = queue
        self._events = events
        self._current = current
        self._stopping = False

    async def wait(self, md5: str, seconds: float) -> list[PictureJob]:
        """The picture's current jobs, once all have ended, none is known, `seconds` have passed
        or `stop` was called.

        It reads them when an event tells of the end of one, or events may have been missed.

        Raises:
            RedisError: if Redis cannot be reached at first, or when the time is over.
        """
        jobs = await self.ended(
            md5,
            lambda: self._queue.find(md5),
            lambda jobs: all(job.finished for job in jobs),
            seconds,
            reread=inf,
        )
        return await self._current(jobs)

    async def ended(
        self,
        name: str,
        read: Callable[[], Awaitable[T]],
        has_ended: Callable[[T], bool],
        seconds: float,
        *,
        reread: float = REREAD_SECONDS,
    ) -> T:
        """What `read` gives once it has ended, `seconds` have passed or `stop` was called.

        Args:
            name: of the job or the picture that it is about.
            reread: seconds after which it is read even if no event comes.

        Raises:
            RedisError: if Redis cannot be reached at first, or when the time is over.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        known = False
        with self._events.follow(name, only_final=True) as bell:
            while True:
                pause = reread
                try:
                    value = await read()
                except RedisError as error:
                    if not known or self._stopping or loop.time() >= ends:
                        raise
                    logger.warning("waiting for %s: %s", name, error)
                    pause = OUTAGE_SECONDS
                else:
                    known = True
                    if has_ended(value) or self._stopping or loop.time() >= ends:
                        return value
                    if bell.final:
                        bell.final, pause = False, CONFIRM_SECONDS
                await bell.wait(min(max(0.0, ends - loop.time()), pause))

    async def rings(self, name: str, pause: float) -> AsyncGenerator[None, None]:
        """Something now, and each time that there may be news of `name`, at most every `pause`
        seconds, until `stop` was called; without end otherwise."""
        with self._events.follow(name) as bell:
            while True:
                yield
                if self._stopping:
                    return
                await asyncio.sleep(pause)
                if not self._stopping:
                    await bell.wait(REREAD_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311

    async def watch(
        self, md5: str, wanted: Callable[[PictureJob], bool], *, places: bool
    ) -> AsyncGenerator[tuple[PictureJob, int | None], None]:
        """Each wanted job of the picture with its place in the queue, now and each time that its
        state has changed, until all have ended or `stop` was called. One that is gone
        before it has ended is told as failed.

        Args:
            places: whether a new place is told too, at most every `PLACE_SECONDS`.

        Raises:
            RedisError: if Redis cannot be reached at first.
        """
        told: dict[Conversion, tuple[PictureJob, int | None]] = {}
        with self._events.follow(md5) as bell:
            while True:
                pause = REREAD_SECONDS
                try:
                    found = await self._current(await self._queue.find(md5))
                    jobs = [job for job in found if wanted(job)]
                    numbers = await self._queue.places(jobs)
                except RedisError as error:
                    if not told:
                        raise
                    logger.warning("watching %s: %s", md5, error)
                    pause = OUTAGE_SECONDS
                else:
                    for now in _changes(told, jobs, numbers, places=places):
                        told[now[0].conversion] = now
                        yield now
                    if self._stopping or all(job.finished for job, _ in told.values()):
                        return
                    if bell.final:
                        bell.final, pause = False, CONFIRM_SECONDS
                    elif places and any(number is not None for number in numbers):
                        pause = PLACE_SECONDS
                # Spreads followers that were all woken at the same moment.
                await bell.wait(pause * random.uniform(0.75, 1.25))  # noqa: S311

    async def finished(self, job: PictureJob) -> PictureJob:
        """The job once it is finished or gone, or `stop` was called, over any time in which
        Redis cannot be reached."""
        if not job.finished:
            async for current in self.follow(job, until_stop=True):
                job = current
        return job

    def steps(self, md5: str) -> AbstractContextManager[Bell]:
        """A bell for `follow`: with one from before the job was known, no step is missed, and the
        job need not be read anew."""
        return self._events.follow(md5)

    async def follow(
        self, job: PictureJob, bell: Bell | None = None, *, until_stop: bool = False
    ) -> AsyncIterator[PictureJob]:
        """The job each time its state has changed, until it is finished or gone, over any time in
        which Redis cannot be reached.

        Args:
            bell: of `steps`, taken before the job was read.
            until_stop: whether `stop` ends it too.
        """
        job_id, current = job.conversion.job_id, None if bell is None else job
        final, looks = False, 0
        with nullcontext(bell) if bell else self._events.follow(job_id) as steps:
            while True:
                if current is None:
                    try:
                        current = await self._queue.get(job_id)
                    except RedisError as error:
                        logger.warning("following %s: %s", job_id, error)
                        await asyncio.sleep(OUTAGE_SECONDS)
                        continue
                    if current is None:
                        return
                changed, job = current.state is not job.state, current
                if changed:
                    yield job
                if job.finished or (until_stop and self._stopping):
                    return
                current = None
                if final and looks < len(CONFIRM_DELAYS):
                    await asyncio.sleep(CONFIRM_DELAYS[looks])
                    looks += 1
                    continue
                # Spreads followers that were all woken at the same moment.
                pause = REREAD_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311
                event, looks = await steps.next_of(job_id, pause), 0
                final = event is not None and event.step.is_final
                current = event.after(job) if event else None

    @property
    def stopping(self) -> bool:
        """Whether the server stops."""
        return self._stopping

    def stop(self) -> None:
        """Answer each `wait` with the current status, now and from now on: the server stops."""
        self._stopping = True
        self._events.ring_all()


def _changes(
    told: Mapping[Conversion, tuple[PictureJob, int | None]],
    jobs: Sequence[PictureJob],
    numbers: Sequence[int | None],
    *,
    places: bool,
) -> list[tuple[PictureJob, int | None]]:
    """The jobs that are not as they were told, with their places."""
    changed = []
    for job, number in zip(jobs, numbers, strict=True):
        last, place = told.get(job.conversion, (None, None))
        moved = places and number is not None and number != place
        if last is None or (last.state, last.token) != (job.state, job.token) or moved:
            changed.append((job, number))
    there = {job.conversion for job in jobs}
    gone = [job for job, _ in told.values() if not job.finished and job.conversion not in there]
    return changed + [(replace(job, state=JobState.FAILED), None) for job in gone]

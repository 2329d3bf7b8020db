"""Pictures in a server process: queue them, report their status, give their results."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from app.core.errors import StorageError
from app.core.jobs.events import Events
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.jobs.queue.questions import Before
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.storage.interface import ObjectInfo, Opener, Presigner, Storage, StoredObject
from app.intake.picture import Picture
from app.intake.submit import look, submit_all
from app.web.service.following import Following
from app.web.service.selection import Selection
from imaging.formats import Format, same_format

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A finished conversion and its stored file."""

    job: PictureJob
    info: ObjectInfo
    format: Format


@dataclass(frozen=True, slots=True)
class _Found:
    """An object of a storage that cannot hold one open."""

    storage: Storage
    info: ObjectInfo

    def stream(self, start: int, end: int) -> AsyncIterator[bytes]:
        return self.storage.stream(self.info.key, start, end)

    def close(self) -> None:
        pass


class Conversions:
    """The queue, the storage and the events as one service. Made once for each server process.

    Attributes:
        following: to wait for jobs.
    """

    def __init__(self, queue: AsyncPictureQueue, storage: Storage, events: Events) -> None:
        self._queue = queue
        self._storage = storage
        self._opener = storage if isinstance(storage, Opener) else None
        self._submissions: set[asyncio.Task[list[PictureJob]]] = set()
        self.following = Following(queue, events, self._current)

    async def submit_all(
        self,
        picture: Picture,
        conversions: Sequence[Conversion],
        submission: Submission,
    ) -> list[PictureJob]:
        """Request conversions of the picture; two equal requests are one job, which has
        the higher priority of the two as long as it waits.

        The recipients are told of the end of each job, at once if it is done. The jobs are in the
        batch from then on.

        Once begun it runs to its end, with the picture's file, even if its caller is cancelled.

        Returns:
            the jobs, queued, processing or done. A done one has its result in storage. One that had
            failed, or whose result is gone, was sent again.

        Raises:
            TinyImageError, RedisError: as `Submissions.submit_all`. Those before the one at fault
                have been requested.
        """
        if submission.recipients or submission.member or len(conversions) > 1:
            return await asyncio.shield(self._begin(picture, conversions, submission))
        # A picture that is done, which clients often send again, needs no task and stores nothing.
        try:
            before, done = await look(self._queue, self._storage, conversions[0])
        except asyncio.CancelledError:
            self._begin(picture, conversions, submission)
            raise
        if done:
            return [done]
        return await asyncio.shield(self._begin(picture, conversions, submission, before))

    def _begin(
        self,
        picture: Picture,
        conversions: Sequence[Conversion],
        submission: Submission,
        before: Before | None = None,
    ) -> asyncio.Task[list[PictureJob]]:
        """Begin a submission, which takes the picture."""
        # A client that disconnects cancels its request. Commands on their way to Redis cannot
        # be cancelled: a submission cut off meanwhile would delete the original of a job that is
        # just being made.
        task = asyncio.create_task(
            self._submit(picture, picture.take(), conversions, submission, before),
            name="submission",
        )
        self._submissions.add(task)
        task.add_done_callback(self._submissions.discard)
        return task

    async def finish(self) -> None:
        """Wait for all submissions that have begun."""
        while self._submissions:
            await asyncio.wait(self._submissions)

    async def jobs(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, those whose result is gone included."""
        return await self._queue.find(md5)

    async def status(self, md5: str) -> list[PictureJob]:
        """The picture's jobs, without those whose result is gone.

        The plain ones come first, as clients without options take the first of a format; beyond
        that the oldest comes first.
        """
        return await self._current(await self._queue.find(md5))

    async def withdraw(self, jobs: Sequence[PictureJob]) -> list[bool]:
        """Take each job back that waits, unless another request has asked for the same since, and
        delete its original. What a worker has is not interrupted.

        Returns:
            for each whether it was taken back.
        """
        withdrawn = await asyncio.gather(*map(self._queue.withdraw, jobs))
        originals = [job.original_key for job, gone in zip(jobs, withdrawn, strict=True) if gone]
        try:
            await self._storage.delete(originals)
        except StorageError as error:  # the cleanup finds orphans
            logger.warning("withdrawn originals: %s: %s", error, error.__cause__)
        return withdrawn

    async def places(self, jobs: Sequence[PictureJob]) -> list[int | None]:
        """The place of each job that waits, 1 for the next one; None for all others."""
        return await self._queue.places(jobs)

    async def own_format(self, md5: str) -> Format | None:
        """The format that `same` meant at the upload; None if it is unknown."""
        for job in await self._queue.find(md5):
            if job.facts.media_type is not None:
                return same_format(job.facts.media_type)
        return None

    async def newest_result(self, md5: str, wanted: Selection) -> Result | None:
        """The result finished last of those that are wanted, or None.

        Without options it is a plain one. Only if there is no plain job of this format and quality,
        it is one with options: while a plain one waits, or after it failed, another result would
        be a wrong file for the client that requested it. A job whose result is gone does not
        count. Of those whose format was left open, one without other options counts as plain.
        """
        return await self._newest_wanted(await self._queue.find(md5), wanted)

    async def newest_results(self, md5: str, wanted: Sequence[Selection]) -> list[Result]:
        """What `newest_result` finds for each selection, of those that there are."""
        jobs = await self._queue.find(md5)
        found = await asyncio.gather(*(self._newest_wanted(jobs, each) for each in wanted))
        return [result for result in found if result is not None]

    async def _newest_wanted(self, found: Sequence[PictureJob], wanted: Selection) -> Result | None:
        jobs = [job for job in found if wanted.matches(job)]
        if wanted.options is not None:
            return await self._newest(jobs)
        plain = [job for job in jobs if wanted.takes_as_plain(job.conversion)]
        if result := await self._newest(plain):
            return result
        if any(job.state is not JobState.DONE for job in plain):
            return None
        return await self._newest(
            [job for job in jobs if not wanted.takes_as_plain(job.conversion)]
        )

    async def result_of(self, job: PictureJob) -> Result | None:
        """The result of a done job, None if it is gone."""
        return await self._result(job)

    async def read(self, job: PictureJob) -> bytes:
        """The whole result of a done job.

        Raises:
            ObjectNotFound: if it is gone.
        """
        if self._opener is None:
            return await self._storage.get(job.result_key)
        with contextlib.closing(self._opener.open(job.result_key)) as file:
            return b"".join([piece async for piece in file.stream(0, file.info.size)])

    def open(self, result: Result) -> StoredObject:
        """The result, to be read and closed.

        Raises:
            ObjectNotFound: if it is gone, and the storage can tell that so soon.
        """
        if self._opener is not None:
            return self._opener.open(result.job.result_key)
        return _Found(self._storage, result.info)

    async def presign(self, result: Result, method: str, seconds: int) -> str | None:
        """A URL of the storage under which the result can be read with `method`, GET or HEAD, for
        some seconds; None if the storage has none."""
        if isinstance(self._storage, Presigner):
            return await self._storage.presign(method, result.job.result_key, seconds)
        return None

    async def _submit(
        self,
        picture: Picture,
        file: IO[bytes],
        conversions: Sequence[Conversion],
        submission: Submission,
        before: Before | None,
    ) -> list[PictureJob]:
        with file:
            return await submit_all(
                self._queue, self._storage, picture, conversions, submission, first=before
            )

    async def _newest(self, jobs: list[PictureJob]) -> Result | None:
        """The result finished last, or None."""
        done = [job for job in jobs if job.state is JobState.DONE]
        done.sort(key=lambda job: job.ended or datetime.min.replace(tzinfo=UTC), reverse=True)
        for job in done:
            if result := await self._result(job):
                return result
        return None

    async def _current(self, jobs: Sequence[PictureJob]) -> list[PictureJob]:
        """The jobs without those whose result is gone, the plain ones first."""
        if len(jobs) == 1:  # as nearly always: no task for it
            there = [await self._is_current(jobs[0])]
        else:
            there = await asyncio.gather(*(self._is_current(job) for job in jobs))
        found = [job for job, current in zip(jobs, there, strict=True) if current]
        return sorted(found, key=lambda job: not job.conversion.is_plain)

    async def _is_current(self, job: PictureJob) -> bool:
        return job.state is not JobState.DONE or await self._result(job) is not None

    async def _result(self, job: PictureJob) -> Result | None:
        info = await self._storage.stat(job.result_key)
        return Result(job, info, job.format) if info and job.format else None

"""The RQ queues of the pictures, for asyncio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.core.jobs import batches, reading
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.lookups import Lookups
from app.core.jobs.questions import Before, Questions
from app.core.picture.batch import Batch, Member
from app.core.picture.conversion import Conversion
from app.core.picture.recipients import Recipient
from app.core.picture.submission import Submission
from app.core.redis.commands import Asker


class AsyncPictureQueue:
    """Conversions as RQ jobs, for asyncio. All lookups of the same moment share one read.

    Every call raises redis.RedisError if Redis cannot be reached.

    Args:
        settings: as `Questions` takes them.
    """

    def __init__(self, redis: Asker, **settings: Any) -> None:
        self._redis = redis
        self._questions = questions = Questions(**settings)
        self._jobs = Lookups[str, PictureJob | None](lambda ids: redis.ask(reading.get_many(ids)))
        self._submissions = Lookups[str, Before](
            lambda ids: redis.ask(questions.before_submission(ids))
        )
        self._pictures = Lookups[str, list[PictureJob]](
            lambda md5s: redis.ask(reading.find_many(md5s))
        )

    async def get(self, job_id: str) -> PictureJob | None:
        """The job; None if the id is unknown."""
        return await self._jobs.get(job_id)

    async def before_submission(self, conversion: Conversion) -> Before:
        """The job of the conversion, and which queues are full."""
        return await self._submissions.get(conversion.job_id)

    async def find(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, the oldest first."""
        return await self._pictures.get(md5)

    async def places(self, jobs: Sequence[PictureJob]) -> list[int | None]:
        """The place of each waiting job, 1 for the next; None for all others."""
        if all(job.state is not JobState.QUEUED for job in jobs):
            return [None] * len(jobs)
        return await self._redis.ask(reading.places(jobs))

    async def promote(self, job: PictureJob) -> bool:
        """Move a waiting bulk job to the interactive ones, as `Questions.promote`."""
        return await self._redis.ask(self._questions.promote(job))

    async def join(self, job: PictureJob, submission: Submission) -> bool:
        """Note another request for a job, as `Questions.join`."""
        return await self._redis.ask(self._questions.join(job, submission))

    async def note(self, job: PictureJob, member: Member, recipients: Sequence[Recipient]) -> bool:
        """Take a job that has ended into a batch, as `Questions.note`."""
        return await self._redis.ask(self._questions.note(job, member, recipients))

    async def check_room(self, member: Member, job_id: str) -> None:
        """See whether one more job has room in a batch, as `batches.check_room`."""
        await self._redis.ask(batches.check_room(member, job_id))

    async def count(self, batch: Batch) -> batches.Count:
        """The members of a batch, as `batches.count`."""
        return await self._redis.ask(batches.count(batch))

    async def members(self, batch: Batch, first: int, number: int) -> list[tuple[str, str]]:
        """The ids of members and their paths, as `batches.members`."""
        return await self._redis.ask(batches.members(batch, first, number))

    async def get_many(self, job_ids: Sequence[str]) -> list[PictureJob | None]:
        """The jobs in the order of the ids, None for each that is not there."""
        return await self._redis.ask(reading.get_many(job_ids))

    async def tell(self, job: PictureJob, recipients: Sequence[Recipient]) -> None:
        """Tell these recipients of a job that has ended, as `Questions.tell`."""
        await self._redis.ask(self._questions.tell(job, recipients))

    async def withdraw(self, job: PictureJob) -> bool:
        """Delete a job that waits, as `Questions.withdraw`."""
        return await self._redis.ask(self._questions.withdraw(job))

    async def submit(
        self,
        conversion: Conversion,
        submission: Submission,
        *,
        token: str,
        replaces: PictureJob | None = None,
    ) -> PictureJob | None:
        """Enqueue the conversion, as `Questions.submit`."""
        question = self._questions.submit(conversion, submission, token=token, replaces=replaces)
        return await self._redis.ask(question)

"""The RQ queues of the pictures, for blocking code. Only RQ keeps the status of a job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import redis

from app.core.jobs.job import PictureJob, parse_job
from app.core.jobs.questions import Questions, parts
from app.core.jobs.removal import EndedJob, remove_as_read
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.redis.commands import ask


class PictureQueue:
    """Conversions as RQ jobs. All calls block; `AsyncPictureQueue` is for asyncio.

    Args:
        settings: as `Questions` takes them.
    """

    def __init__(self, connection: redis.Redis, **settings: Any) -> None:
        self.connection = connection
        self._questions = Questions(**settings)

    def submit(
        self,
        conversion: Conversion,
        submission: Submission,
        *,
        token: str,
        replaces: PictureJob | None = None,
    ) -> PictureJob | None:
        """Enqueue the conversion, as `Questions.submit`."""
        question = self._questions.submit(conversion, submission, token=token, replaces=replaces)
        return ask(self.connection, question)

    def promote(self, job: PictureJob) -> bool:
        """Move a waiting bulk job to the interactive ones, as `Questions.promote`."""
        return ask(self.connection, self._questions.promote(job))

    def places(self, jobs: Sequence[PictureJob]) -> list[int | None]:
        """The place of each job, 1 for the next one; None if it does not wait in its queue."""
        return ask(self.connection, self._questions.places(jobs))

    def get(self, job_id: str) -> PictureJob | None:
        """The job; None if the id is unknown."""
        return self.get_many([job_id])[0]

    def get_many(self, job_ids: Iterable[str]) -> list[PictureJob | None]:
        """The jobs in the order of the ids, None for each that is not there."""
        return ask(self.connection, self._questions.get_many(job_ids))

    def find(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, the oldest first."""
        return ask(self.connection, self._questions.find_many([md5]))[0]

    def remove_where(
        self, job_ids: Iterable[str], condition: Callable[[PictureJob], bool]
    ) -> list[tuple[PictureJob | None, bool]]:
        """Delete the jobs that have ended and meet the condition, if they have not changed since.

        Returns:
            for each id the job as read, and whether it was deleted: False if it did not meet the
            condition, or was deleted, replaced or moved meanwhile.
        """
        return [found for part in parts(job_ids) for found in self._remove_part(part, condition)]

    def _remove_part(
        self, job_ids: list[str], condition: Callable[[PictureJob], bool]
    ) -> list[tuple[PictureJob | None, bool]]:
        read = ask(self.connection, self._questions.read(job_ids))
        jobs = list(map(parse_job, job_ids, read))
        ended = [
            EndedJob.of(job, values)
            for job, values in zip(jobs, read, strict=True)
            if job and job.finished and condition(job)
        ]
        ids = [each.job_id for each in ended]
        removed = dict(
            zip(ids, remove_as_read(self.connection, ended, self._questions.settle), strict=True)
        )
        return [(job, removed.get(id, False)) for id, job in zip(job_ids, jobs, strict=True)]

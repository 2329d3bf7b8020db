"""Jobs of pictures made and read over a client that blocks: for the benches, and for the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import redis

from app.core.jobs import reading
from app.core.jobs.job import PictureJob
from app.core.jobs.questions import Questions
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
        self.questions = Questions(**settings)

    def submit(
        self,
        conversion: Conversion,
        submission: Submission,
        *,
        token: str,
        replaces: PictureJob | None = None,
    ) -> PictureJob | None:
        """Enqueue the conversion, as `Questions.submit`."""
        question = self.questions.submit(conversion, submission, token=token, replaces=replaces)
        return ask(self.connection, question)

    def promote(self, job: PictureJob) -> bool:
        """Move a waiting bulk job to the interactive ones, as `Questions.promote`."""
        return ask(self.connection, self.questions.promote(job))

    def places(self, jobs: Sequence[PictureJob]) -> list[int | None]:
        """The place of each job, as `reading.places`."""
        return ask(self.connection, reading.places(jobs))

    def get(self, job_id: str) -> PictureJob | None:
        """The job; None if the id is unknown."""
        return self.get_many([job_id])[0]

    def get_many(self, job_ids: Iterable[str]) -> list[PictureJob | None]:
        """The jobs in the order of the ids, None for each that is not there."""
        return ask(self.connection, reading.get_many(job_ids))

    def find(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, the oldest first."""
        return ask(self.connection, reading.find_many([md5]))[0]

    def remove_where(
        self, job_ids: Iterable[str], condition: Callable[[PictureJob], bool]
    ) -> list[tuple[PictureJob | None, bool]]:
        """Delete jobs that have ended, as `Questions.remove_where`."""
        return ask(self.connection, self.questions.remove_where(job_ids, condition))

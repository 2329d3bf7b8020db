"""The RQ queues of the pictures, for asyncio."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from app.core.jobs import batches
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.queue import reading
from app.core.jobs.queue.lookups import Lookups
from app.core.jobs.queue.questions import Before, Questions
from app.core.picture.conversion import Conversion
from app.core.redis.commands import Asker, Question

P = ParamSpec("P")
T = TypeVar("T")


def _asked(
    question: Callable[P, Question[T]],
) -> Callable[Concatenate[AsyncPictureQueue, P], Coroutine[Any, Any, T]]:
    """The method that asks such a question."""

    def call(
        queue: AsyncPictureQueue, /, *args: P.args, **named: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        return queue.redis.ask(question(*args, **named))

    return call


def _changed(
    question: Callable[Concatenate[Questions, P], Question[T]],
) -> Callable[Concatenate[AsyncPictureQueue, P], Coroutine[Any, Any, T]]:
    """The method that asks such a question of the service, by its settings."""

    def call(
        queue: AsyncPictureQueue, /, *args: P.args, **named: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        return queue.redis.ask(question(queue.questions, *args, **named))

    return call


class AsyncPictureQueue:
    """Conversions as RQ jobs, for asyncio. All lookups of the same moment share one read.

    Every call raises redis.RedisError if Redis cannot be reached. Those below take and return what
    the question of the same name does.

    Args:
        settings: as `Questions` takes them.
    """

    get_many = _asked(reading.get_many)
    check_room = _asked(batches.check_room)
    count = _asked(batches.count)
    members = _asked(batches.members)
    submit = _changed(Questions.submit)
    join = _changed(Questions.join)
    note = _changed(Questions.note)
    tell = _changed(Questions.tell)
    promote = _changed(Questions.promote)
    withdraw = _changed(Questions.withdraw)

    def __init__(self, redis: Asker, **settings: Any) -> None:
        self.redis = redis
        self.questions = questions = Questions(**settings)
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
        return await self.redis.ask(reading.places(jobs))

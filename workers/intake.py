"""The one door, for pictures that a worker has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import redis

from app.core.jobs.job import PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.redis.commands import Question, ask
from app.core.storage.interface import Storage
from app.intake.intake import Intake
from app.intake.picture import Picture
from app.intake.submit import submit_all
from workers.runtime import runtime

T = TypeVar("T")


class WorkerSubmissions:
    """Makes jobs over a client that blocks, as nothing else runs meanwhile. What has been accepted
    finds room in any queue."""

    def __init__(self, queue: AsyncPictureQueue, storage: Storage) -> None:
        self._queue = queue
        self._storage = storage

    async def submit_all(
        self,
        picture: Picture,
        conversions: Sequence[Conversion],
        submission: Submission,
    ) -> list[PictureJob]:
        """As `Submissions.submit_all` of the intake."""
        with picture.take():
            return await submit_all(self._queue, self._storage, picture, conversions, submission)


class _Blocking:
    """Asks Redis over a client that blocks."""

    def __init__(self, connection: redis.Redis) -> None:
        self._connection = connection

    async def ask(self, question: Question[T]) -> T:
        """As `Asker.ask`."""
        return ask(self._connection, question)


def worker_intake(connection: redis.Redis, key: str | None) -> Intake:
    """The intake of this worker for clients with the API key of this name, None for clients
    without one."""
    here = runtime()
    settings = here.settings
    queue = AsyncPictureQueue(
        _Blocking(connection),
        max_age_seconds=settings.upload.max_age_seconds,
        conversion_timeout=settings.limits.conversion_timeout,
        downloads=settings.downloads,
        webhooks=settings.webhooks.enabled,
    )
    return Intake(WorkerSubmissions(queue, here.storage), settings, key)

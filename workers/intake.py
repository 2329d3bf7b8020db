"""The one door, for pictures that a worker has."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from app.core.intake.intake import Intake
from app.core.intake.picture import Picture
from app.core.intake.submit import submit_all
from app.core.intake.webhooks import Webhooks
from app.core.jobs import batches
from app.core.jobs.job import PictureJob
from app.core.jobs.questions import Before, Questions
from app.core.picture.batch import Member
from app.core.picture.conversion import Conversion
from app.core.picture.recipients import Recipient
from app.core.picture.submission import Submission
from app.core.redis.commands import ask
from app.core.storage import Storage
from workers.runtime import runtime


class WorkerSubmissions:
    """Makes jobs over a client that blocks, as nothing else runs meanwhile. What has been accepted
    finds room in any queue."""

    def __init__(self, connection: redis.Redis, storage: Storage, questions: Questions) -> None:
        self._connection = connection
        self._storage = storage
        self._questions = questions

    async def submit_all(
        self,
        picture: Picture,
        conversions: Sequence[Conversion],
        submission: Submission,
    ) -> list[PictureJob]:
        """As `Submissions.submit_all` of the intake."""
        with picture.take():
            queue = _Queue(self._connection, self._questions)
            return await submit_all(queue, self._storage, picture, conversions, submission)


class _Queue:
    """The queue as a submission asks it."""

    def __init__(self, connection: redis.Redis, questions: Questions) -> None:
        self._connection = connection
        self._questions = questions

    async def before_submission(self, conversion: Conversion) -> Before:
        question = self._questions.before_submission([conversion.job_id])
        return ask(self._connection, question)[0]

    async def join(self, job: PictureJob, submission: Submission) -> bool:
        return ask(self._connection, self._questions.join(job, submission))

    async def note(self, job: PictureJob, member: Member, recipients: Sequence[Recipient]) -> bool:
        return ask(self._connection, self._questions.note(job, member, recipients))

    async def check_room(self, member: Member, job_id: str) -> None:
        ask(self._connection, batches.check_room(member, job_id))

    async def tell(self, job: PictureJob, recipients: Sequence[Recipient]) -> None:
        ask(self._connection, self._questions.tell(job, recipients))

    async def promote(self, job: PictureJob) -> bool:
        return ask(self._connection, self._questions.promote(job))

    async def submit(
        self,
        conversion: Conversion,
        submission: Submission,
        *,
        token: str,
        replaces: PictureJob | None = None,
    ) -> PictureJob | None:
        question = self._questions.submit(conversion, submission, token=token, replaces=replaces)
        return ask(self._connection, question)


def worker_intake(connection: redis.Redis, key: str | None) -> Intake:
    """The intake of this worker for clients with the API key of this name, None for clients
    without one."""
    here = runtime()
    settings = here.settings
    questions = Questions(
        max_age_seconds=settings.upload.max_age_seconds,
        conversion_timeout=settings.limits.conversion_timeout,
        downloads=settings.downloads,
        webhooks=settings.webhooks.enabled,
    )
    return Intake(
        WorkerSubmissions(connection, here.storage, questions),
        settings.engine.effort,
        settings.limits.max_pixels,
        settings.asked,
        webhooks=Webhooks(settings.webhooks, settings.webhook_rules),
        key=key,
    )

"""A picture and its conversion become a job."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from itertools import chain, repeat

from app.core.errors import QueueFull, Unavailable
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.jobs.queue.questions import TOO_MANY, Before
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from app.core.storage.interface import Storage
from app.intake.picture import Picture

SUBMIT_ATTEMPTS = 10
"""How often a submission starts over because another server changed the same job meanwhile."""


async def submit_all(
    queue: AsyncPictureQueue,
    storage: Storage,
    picture: Picture,
    conversions: Sequence[Conversion],
    submission: Submission,
    *,
    first: Before | None = None,
) -> list[PictureJob]:
    """The jobs of the conversions, one after the other as `submit` makes each. If an error comes
    with one of them, those before it are there.

    Args:
        first: what `look` has found for the first of them.
    """
    looks = chain([first], repeat(None))
    return [
        await submit(queue, storage, picture, conversion, submission, before=before)
        for conversion, before in zip(conversions, looks, strict=False)
    ]


async def look(
    queue: AsyncPictureQueue, storage: Storage, conversion: Conversion
) -> tuple[Before, PictureJob | None]:
    """The state before a submission, and the job if it is done, so that none is to be made.
    It changes nothing, and can be cancelled."""
    before = await queue.before_submission(conversion)
    job = before.job
    is_done = job and job.state is JobState.DONE and await storage.stat(job.result_key)
    return before, job if is_done else None


async def submit(
    queue: AsyncPictureQueue,
    storage: Storage,
    picture: Picture,
    conversion: Conversion,
    submission: Submission,
    *,
    before: Before | None = None,
) -> PictureJob:
    """The job of the conversion, new or found, as `Submissions.submit_all` tells of it.

    Do not cancel it: commands on their way to Redis cannot be taken back, and it would delete the
    original of a job that is just being made.

    Args:
        before: what `look` has found a moment ago.
    """
    priority, recipients, member = submission.priority, submission.recipients, submission.member
    if member is not None:
        await queue.check_room(member, conversion.job_id)
    token = secrets.token_hex(8)
    stored = unused = False
    try:
        for _ in range(SUBMIT_ATTEMPTS):
            found = before or await queue.before_submission(conversion)
            before, job = None, found.job
            if job and job.token == token:  # it was made, and Redis's answer was lost
                return job
            unused = stored
            if job and not job.finished:
                if not await queue.join(job, submission):
                    continue  # withdrawn or ended meanwhile
                waits_as_bulk = job.state is JobState.QUEUED and job.priority is Priority.BULK
                if waits_as_bulk and priority is Priority.INTERACTIVE:
                    await queue.promote(job)
                return job
            if job and job.state is JobState.DONE and await storage.stat(job.result_key):
                if member is not None and not await queue.note(job, member, recipients):
                    continue  # deleted meanwhile
                if recipients:
                    await queue.tell(job, recipients)
                return job
            if not stored and priority in found.full:
                raise QueueFull(TOO_MANY)
            if not stored:
                picture.file.seek(0)
                stored = unused = True
                await storage.put(paths.original(conversion, token), picture.file)
            # From here until Redis is asked again a job may own it, even without an answer;
            # if no job does, the cleanup finds an orphan.
            unused = False
            submitted = await queue.submit(conversion, submission, token=token, replaces=job)
            if submitted:
                return submitted
        raise Unavailable("The picture is being changed elsewhere; try again")
    finally:
        if unused:  # another submission was first, or this one failed
            await storage.delete([paths.original(conversion, token)])

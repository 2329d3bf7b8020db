"""Changes to the jobs of pictures in RQ: submitted, joined, moved, withdrawn, deleted. Each is
written once, for a blocking client and for an asyncio client.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rq import Queue
from rq.job import Job

from app.core.errors import QueueFull, Unavailable
from app.core.jobs import keys
from app.core.jobs.batches import Settling
from app.core.jobs.facts import Facts
from app.core.jobs.job import FIELDS, JobState, PictureJob, keep_arguments, parse_job
from app.core.jobs.new_job import TIMEOUT_MARGIN, conversion_job, enqueue_command, queue_key
from app.core.jobs.queue.moves import move_command
from app.core.jobs.queue.reading import parts, read
from app.core.jobs.queue.removal import EndedJob, removal_command
from app.core.jobs.queue.withdrawal import FULL, join_command, withdraw_command
from app.core.jobs.webhooks.deliveries import MAX_RECIPIENTS, RECIPIENTS, notes, tell
from app.core.jobs.webhooks.messages import image_message
from app.core.picture.batch import Member
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.picture.submission import Submission
from app.core.redis.commands import Batch, Command, Question

TOO_MANY = "Too many pictures are waiting; try again"
"""The message for a client whose picture finds the queue full."""

_DROP_REMNANT = """
if redis.call("HEXISTS", KEYS[1], "data") == 0 then
    redis.call("DEL", KEYS[1])
end
"""
"""The remnant of a job that was deleted from outside while a worker had it: a hash with only a
heartbeat, which would block the same picture for ever."""


@dataclass(frozen=True, slots=True)
class Before:
    """The state of the queue before a job is made."""

    job: PictureJob | None
    """The job of the same conversion that is there already."""
    full: frozenset[Priority]
    """The priorities of which no more pictures may wait."""


class Questions:
    """Of one service, whose settings say how long a job is kept and how many may wait."""

    def __init__(
        self,
        *,
        max_age_seconds: float,
        conversion_timeout: int,
        max_waiting: int = 0,
        downloads: str = "",
        webhooks: bool = False,
    ) -> None:
        """
        Args:
            max_waiting: pictures of each priority; 0 for any number.
            downloads: the start of the addresses of downloads in messages.
            webhooks: whether anybody may be told of a batch.
        """
        self._batches = Settling(max_age_seconds, webhooks)
        self._downloads = downloads
        self._ttl = int(max_age_seconds) + GRACE_SECONDS
        self._timeout = conversion_timeout + TIMEOUT_MARGIN
        self._max_waiting = max_waiting

    def before_submission(self, job_ids: Sequence[str]) -> Question[list[Before]]:
        """What a submission of each of these jobs has to know. Simultaneous submissions may exceed
        the limit of a queue by their number.

        One round trip; no more than `READ_AT_ONCE`.
        """
        reads = [("HMGET", Job.key_for(id), *FIELDS) for id in job_ids]
        limited = tuple(Priority) if self._max_waiting else ()
        answers = yield Batch([*reads, *(("LLEN", queue_key(each)) for each in limited)])
        read, lengths = answers[: len(reads)], answers[len(reads) :]
        waiting = dict(zip(limited, lengths, strict=True))
        full = frozenset(each for each in limited if waiting[each] >= self._max_waiting)
        return [Before(parse_job(*each), full) for each in zip(job_ids, read, strict=True)]

    def promote(self, job: PictureJob) -> Question[bool]:
        """Move a waiting bulk job to the end of the interactive queue.

        Returns:
            whether it was moved; False if it no longer waits.
        """
        source, name = queue_key(Priority.BULK), Priority.INTERACTIVE.value
        (moved,) = yield Batch([move_command(job.conversion.job_id, source, name)])
        return bool(moved)

    def join(self, job: PictureJob, submission: Submission) -> Question[bool]:
        """Note that another request is answered with a job that has not ended: it is not withdrawn
        then, and its end is told to these recipients too; the job is in the batch from then on.

        Returns:
            whether it is still there and, if there are recipients, has not ended.

        Raises:
            Unavailable: if too many are to be told.
        """
        id, recipients, member = job.conversion.job_id, submission.recipients, submission.member
        noted = [self._batches.note(member, id, recipients)] if member else []
        joined, *_ = yield Batch([join_command(id, recipients), *noted], atomic=bool(noted))
        if joined == FULL:
            raise Unavailable(f"More than {MAX_RECIPIENTS} webhooks wait for this picture")
        return bool(joined)

    def tell(self, job: PictureJob, recipients: Sequence[Recipient]) -> Question[None]:
        """Enqueue the deliveries of the outcome of a job that has ended, to these recipients."""
        yield Batch([tell(image_message(job, self._downloads), recipients)])

    def note(
        self, job: PictureJob, member: Member, recipients: Sequence[Recipient]
    ) -> Question[bool]:
        """Take a job that has ended into a batch. Returns whether it is still there."""
        (noted,) = yield Batch([self._batches.note(member, job.conversion.job_id, recipients)])
        return bool(noted)

    def settle(self, job_id: str) -> Command:
        """The command that counts a job anew in its batches, as `Settling.settle`."""
        return self._batches.settle(job_id)

    def withdraw(self, job: PictureJob) -> Question[bool]:
        """Delete a job that waits, if no other request has joined it and no worker has taken it.

        Returns:
            whether it was deleted.
        """
        job_id = job.conversion.job_id
        (values,) = yield from read([job_id])
        current = parse_job(job_id, values)
        if current is None or (current.token, current.state) != (job.token, JobState.QUEUED):
            return False
        queues = tuple(queue_key(priority) for priority in Priority)
        withdrawn, _ = yield Batch(
            [withdraw_command(current, values[0] or b"", queues), self._batches.settle(job_id)],
            atomic=True,
        )
        return bool(withdrawn)

    def submit(
        self,
        conversion: Conversion,
        submission: Submission,
        *,
        token: str,
        replaces: PictureJob | None = None,
    ) -> Question[PictureJob | None]:
        """Enqueue the conversion, whose original is already stored.

        Args:
            token: names the original and the result among those of other submissions.
            replaces: the job of the same conversion that this one replaces, in one step: with two,
                an interruption would leave an accepted picture unknown.

        Returns:
            the job, or None if one of the same conversion is there already, or no longer the one to
            replace.
        """
        removal = []
        if replaces is not None:
            ended = yield from self._as_expected(replaces)
            if ended is None:
                return None
            removal = [removal_command(ended)]
        recipients, queue = submission.recipients, queue_key(submission.priority)
        job = conversion_job(conversion, submission, token, timeout=self._timeout, ttl=self._ttl)
        fields = job.to_dict()
        if recipients:
            fields[RECIPIENTS] = notes(recipients)
        index = keys.picture_jobs(conversion.md5)
        settled = [self._batches.settle(conversion.job_id)] if replaces else []
        if submission.member is not None:
            settled = [self._batches.note(submission.member, conversion.job_id, recipients)]
        answers = yield Batch(
            [
                *removal,
                # An entry without a job is ignored, like the entry of an existing job.
                ("ZADD", index, time.time(), conversion.job_id),
                ("EXPIRE", index, self._ttl + INDEX_SECONDS),
                ("SADD", Queue.redis_queues_keys, queue),
                enqueue_command(job, queue, fields),
                *settled,
            ],
            atomic=True,
        )
        if not answers[-1 - len(settled)]:
            yield Batch([("EVAL", _DROP_REMNANT, 1, job.key)])
            return None
        keep_arguments(fields["data"], (conversion, token, submission.filename))
        return PictureJob(
            conversion,
            token,
            JobState.QUEUED,
            submission.filename,
            submitted=job.enqueued_at,
            ended=None,
            priority=submission.priority,
            facts=Facts.from_meta(job.meta),
        )

    def remove_where(
        self, job_ids: Iterable[str], condition: Callable[[PictureJob], bool]
    ) -> Question[list[tuple[PictureJob | None, bool]]]:
        """Delete the jobs that have ended and meet the condition, if they have not changed since.

        Two round trips for `READ_AT_ONCE` of them.

        Returns:
            for each id the job as read, and whether it was deleted: False if it did not meet the
            condition, or was deleted, replaced or moved meanwhile.
        """
        found: list[tuple[PictureJob | None, bool]] = []
        for part in parts(job_ids):
            values = yield from read(part)
            jobs = list(map(parse_job, part, values))
            ended = {
                id: EndedJob.of(job, each)
                for id, job, each in zip(part, jobs, values, strict=True)
                if job and job.finished and condition(job)
            }
            commands: list[Command] = []
            for id, job in ended.items():
                # If it is cut off between the two, the batch ends by its age.
                commands += [removal_command(job), self.settle(id)]
            answers = (yield Batch(commands)) if commands else []
            removed = dict(zip(ended, answers[::2], strict=True))
            found += [(job, bool(removed.get(id))) for id, job in zip(part, jobs, strict=True)]
        return found

    def _as_expected(self, expected: PictureJob) -> Question[EndedJob | None]:
        """The current job, if it still is this submission in this state; or None."""
        job_id = expected.conversion.job_id
        (values,) = yield from read([job_id])
        current = parse_job(job_id, values)
        if current is None or (current.token, current.state) != (expected.token, expected.state):
            return None
        return EndedJob.of(current, values)


def check_room(priority: Priority, max_waiting: int) -> Question[None]:
    """See whether one more job of this priority may wait.

    Args:
        max_waiting: 0 for any number.

    Raises:
        QueueFull: if not.
    """
    if max_waiting:
        (waiting,) = yield Batch([("LLEN", queue_key(priority))])
        if waiting >= max_waiting:
            raise QueueFull(TOO_MANY)

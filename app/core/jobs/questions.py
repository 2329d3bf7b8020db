"""Questions and changes to RQ about pictures: submit, look up, promote, each written once for a
blocking client and for an asyncio client.

RQ's own code uses a blocking client.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from rq import Queue
from rq.job import Job

from app.core.errors import QueueFull, Unavailable
from app.core.jobs import keys
from app.core.jobs.batches import Settling
from app.core.jobs.deliveries import MAX_RECIPIENTS, RECIPIENTS, notes, tell
from app.core.jobs.facts import Facts
from app.core.jobs.job import FIELDS, JobState, PictureJob, keep_arguments, parse_job
from app.core.jobs.messages import image_message
from app.core.jobs.moves import move_command
from app.core.jobs.new_job import TIMEOUT_MARGIN, conversion_job, enqueue_command, queue_key
from app.core.jobs.places import place
from app.core.jobs.removal import EndedJob, removal_command
from app.core.jobs.withdrawal import FULL, join_command, withdraw_command
from app.core.picture.batch import Member
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient
from app.core.picture.retention import GRACE_SECONDS, INDEX_SECONDS
from app.core.picture.submission import Submission
from app.core.redis.commands import Batch, Command, Question

READ_AT_ONCE = 100
"""Jobs that are read or deleted in one round trip: Redis serves no other client for these few
milliseconds."""

TOO_MANY = "Too many pictures are waiting; try again"
"""What who sends a picture to a full queue is told."""

_DROP_REMNANT = """
if redis.call("HEXISTS", KEYS[1], "data") == 0 then
    redis.call("DEL", KEYS[1])
end
"""
"""The remnant of a job that was deleted from outside while a worker had it: a hash with only a
heartbeat, which would block the same picture for ever."""

_FIND = """
local left = tonumber(ARGV[1])
local pictures = {}
for n, index in ipairs(KEYS) do
    local ids, jobs = redis.call("ZRANGE", index, 0, -1), {}
    for m = 1, math.min(#ids, left) do
        jobs[m] = redis.call("HMGET", ARGV[2] .. ids[m], unpack(ARGV, 3))
    end
    left = left - #jobs
    pictures[n] = {ids, jobs}
end
return pictures
"""
"""The ids of the jobs of each picture, and the fields of the first so many jobs: one round trip for
what a client asks most."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known before a job is made."""

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

    def get_many(self, job_ids: Iterable[str]) -> Question[list[PictureJob | None]]:
        """The jobs in the order of the ids, None for each that is not there."""
        jobs: list[PictureJob | None] = []
        for part in parts(job_ids):
            jobs += map(parse_job, part, (yield from self.read(part)))
        return jobs

    def read(self, job_ids: Sequence[str]) -> Question[list[list[bytes | None]]]:
        """For each job the values of its `FIELDS`, in one round trip; no more than `READ_AT_ONCE`.

        Not `Job.fetch_many`, which one remnant of a deleted job would make fail for all.
        """
        return (yield Batch([("HMGET", Job.key_for(id), *FIELDS) for id in job_ids]))

    def find_many(self, md5s: Sequence[str]) -> Question[list[list[PictureJob]]]:
        """For each picture all its jobs, the oldest first."""
        indexes = [keys.picture_jobs(md5) for md5 in md5s]
        arguments = (READ_AT_ONCE, Job.key_for(""), *FIELDS)
        (found,) = yield Batch([("EVAL", _FIND, len(indexes), *indexes, *arguments)])
        ids = [id.decode() for named, _ in found for id in named]
        values = [fields for _, read in found for fields in read]
        jobs = list(map(parse_job, ids, values))
        jobs += yield from self.get_many(ids[len(jobs) :])
        each = iter(jobs)
        return [[job for job in islice(each, len(named)) if job] for named, _ in found]

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

    def places(self, jobs: Sequence[PictureJob]) -> Question[list[int | None]]:
        """The place of each job, 1 for the next one; None if it does not wait in its queue.

        One round trip. Redis searches a queue from its front to the job; it searches the whole
        queue only for a job that a worker is just taking.
        """
        waiting = [job for job in jobs if job.state is JobState.QUEUED]
        if not waiting:
            return [None] * len(jobs)
        lengths = [("LLEN", queue_key(p)) for p in (Priority.INTERACTIVE, Priority.BULK)]
        positions = [("LPOS", queue_key(job.priority), job.conversion.job_id) for job in waiting]
        interactive, bulk, *indexes = yield Batch([*lengths, *positions], atomic=True)
        found = {
            job.conversion.job_id: place(index, job.priority, interactive, bulk)
            for job, index in zip(waiting, indexes, strict=True)
            if index is not None
        }
        return [found.get(job.conversion.job_id) for job in jobs]

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
        (values,) = yield from self.read([job_id])
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

    def _as_expected(self, expected: PictureJob) -> Question[EndedJob | None]:
        """The current job, if it still is this submission in this state; or None."""
        job_id = expected.conversion.job_id
        (values,) = yield from self.read([job_id])
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


def parts(job_ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, `READ_AT_ONCE` at a time."""
    left = iter(job_ids)
    while part := list(islice(left, READ_AT_ONCE)):
        yield part

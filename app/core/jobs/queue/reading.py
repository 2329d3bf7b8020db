"""Lookups of the jobs of pictures in RQ, each written once for a blocking client and for an asyncio
client: RQ's own code blocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rq.job import Job

from app.core.jobs import keys
from app.core.jobs.job import FIELDS, JobState, PictureJob, parse_job
from app.core.jobs.new_job import queue_key
from app.core.jobs.queue.places import place
from app.core.picture.priority import Priority
from app.core.redis.commands import Batch, Question

READ_AT_ONCE = 100
"""Jobs that are read or deleted in one round trip: Redis serves no other client for these few
milliseconds."""

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


def get_many(job_ids: Iterable[str]) -> Question[list[PictureJob | None]]:
    """The jobs in the order of the ids, None for each that is not there."""
    jobs: list[PictureJob | None] = []
    for part in parts(job_ids):
        jobs += map(parse_job, part, (yield from read(part)))
    return jobs


def read(job_ids: Sequence[str]) -> Question[list[list[bytes | None]]]:
    """For each job the values of its `FIELDS`, in one round trip; no more than `READ_AT_ONCE`.

    Not `Job.fetch_many`, which one remnant of a deleted job would make fail for all.
    """
    return (yield Batch([("HMGET", Job.key_for(id), *FIELDS) for id in job_ids]))


def find_many(md5s: Sequence[str]) -> Question[list[list[PictureJob]]]:
    """For each picture all its jobs, the oldest first."""
    indexes = [keys.picture_jobs(md5) for md5 in md5s]
    arguments = (READ_AT_ONCE, Job.key_for(""), *FIELDS)
    (found,) = yield Batch([("EVAL", _FIND, len(indexes), *indexes, *arguments)])
    ids = [id.decode() for named, _ in found for id in named]
    values = [fields for _, each in found for fields in each]
    jobs = list(map(parse_job, ids, values))
    jobs += yield from get_many(ids[len(jobs) :])
    left = iter(jobs)
    return [[job for job in islice(left, len(named)) if job] for named, _ in found]


def places(jobs: Sequence[PictureJob]) -> Question[list[int | None]]:
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


def parts(job_ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, `READ_AT_ONCE` at a time."""
    left = iter(job_ids)
    while part := list(islice(left, READ_AT_ONCE)):
        yield part

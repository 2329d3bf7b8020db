"""Ended jobs deleted many at a time, each only if it has not changed since it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from rq.job import Job
from rq.registry import CanceledJobRegistry, FailedJobRegistry, FinishedJobRegistry
from rq.results import Result

from app.core.jobs import keys
from app.core.jobs.job import FIELDS, NO_CONNECTION, PictureJob
from app.core.redis.commands import Command

_AS_READ = ("data", "status", "ended_at")
"""The fields that identify a submission and its end: the data has the token, and a job that was put
back and has ended again has another end."""

_REGISTRIES = (FinishedJobRegistry, FailedJobRegistry, CanceledJobRegistry)
"""Where RQ lists jobs that have ended."""

_SCRIPT = """
    -- KEYS: the job, what else is its own (4), the index of its picture, the registries
    -- ARGV: its id, then the fields and their values as they were read
    for n = 2, #ARGV, 2 do
        if (redis.call("HGET", KEYS[1], ARGV[n]) or "") ~= ARGV[n + 1] then
            return 0
        end
    end
    redis.call("DEL", KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
    for n = 6, #KEYS do
        redis.call("ZREM", KEYS[n], ARGV[1])
    end
    return 1
"""
"""The work of `Job.delete`, which for each job takes half a dozen round trips and a search of the
whole queue, which no ended job is in. Our jobs are not in groups."""


@dataclass(frozen=True, slots=True)
class EndedJob:
    """A job that has ended, as it was read."""

    job_id: str
    origin: str
    """The name of the queue it was in."""
    md5: str
    fields: Mapping[str, bytes | None]

    @classmethod
    def of(cls, job: PictureJob, values: Sequence[bytes | None]) -> EndedJob:
        """The job whose `FIELDS` have these values."""
        fields = dict(zip(FIELDS, values, strict=True))
        origin = (fields["origin"] or b"").decode()
        return cls(job.conversion.job_id, origin, job.conversion.md5, fields)


def removal_command(job: EndedJob) -> Command:
    """The command that deletes the job, with its entries; it answers 1 if it did, and 0 if the job
    was deleted, replaced or moved since it was read."""
    registries = (each.key_template.format(job.origin) for each in _REGISTRIES)
    names = (*own_keys(job.job_id), keys.picture_jobs(job.md5), *registries)
    fields = [(name, job.fields[name] or b"") for name in _AS_READ]
    return ("EVAL", _SCRIPT, len(names), *names, job.job_id, *chain.from_iterable(fields))


def own_keys(job_id: str) -> tuple[str, ...]:
    """The keys of a job, and of what else RQ keeps of it alone."""
    job = Job(job_id, connection=NO_CONNECTION)
    return (
        job.key,
        job.dependents_key,
        job.dependencies_key,
        Result.get_key(job_id),
        job.execution_registry.key,
    )

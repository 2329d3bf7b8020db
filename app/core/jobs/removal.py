"""Ended jobs deleted many at a time, each only if it has not changed since it was read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import redis
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


def remove_as_read(
    connection: redis.Redis, jobs: Sequence[EndedJob], settle: Callable[[str], Command]
) -> list[bool]:
    """Delete each job, with its entries, if it has not changed since it was read, and take it out
    of its batches.

    One script for each, all in one round trip: Redis can serve others in between.

    Args:
        settle: as `Settling.settle`.

    Returns:
        for each whether it was deleted; False if it was deleted, replaced or moved meanwhile.
    """
    if not jobs:
        return []
    script = connection.register_script(_SCRIPT)
    with connection.pipeline(transaction=False) as pipe:
        for job in jobs:
            script(keys=_keys(job), args=_arguments(job), client=pipe)
            # If it is cut off before this, the batch ends by its age.
            pipe.execute_command(*settle(job.job_id))
        return [bool(removed) for removed in pipe.execute()[::2]]


def removal_command(job: EndedJob) -> Command:
    """The command that deletes one, for a transaction; it answers 1 if it was deleted."""
    names = _keys(job)
    return ("EVAL", _SCRIPT, len(names), *names, *_arguments(job))


def _arguments(job: EndedJob) -> list[str | bytes]:
    fields = [(name, job.fields[name] or b"") for name in _AS_READ]
    return [job.job_id, *(part for pair in fields for part in pair)]


def _keys(ended: EndedJob) -> list[str]:
    id = ended.job_id
    job = Job(id, connection=NO_CONNECTION)
    return [
        job.key,
        job.dependents_key,
        job.dependencies_key,
        Result.get_key(id),
        job.execution_registry.key,
        keys.picture_jobs(ended.md5),
        *(registry.key_template.format(ended.origin) for registry in _REGISTRIES),
    ]

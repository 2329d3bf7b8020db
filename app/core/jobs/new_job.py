"""A job as it is written before a worker has it, and the command that puts it into its queue.

RQ's own code uses a blocking client. So RQ's `Job` makes the fields here, and RQ's own script puts
it into the queue.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any, cast

from rq import Callback, Queue, Retry
from rq.job import Job, JobStatus
from rq.scripts import UNIQUE_ENQUEUE_SCRIPT
from rq.serializers import JSONSerializer
from rq.utils import now

from app.core.jobs import keys
from app.core.jobs.job import NO_CONNECTION
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.redis.commands import Command

RETRIES = 3
"""How often a job is put back after its worker died or its storage failed."""

TIMEOUT_MARGIN = 30
"""Seconds that a job may take in addition to its conversion, to read and write its files."""

NO_TTL = -1
_AT_THE_END = "R"
"""Arguments of RQ's script: a waiting job never expires, and is the last in its queue."""


class NewJob(Job):
    """A job that no worker has taken yet."""

    def to_dict(self, include_meta: bool = True, include_result: bool = True) -> dict[str, Any]:
        """Its fields in Redis, without empty ones: RQ treats them as missing, and seven of
        them would take a fifth of the job's memory."""
        fields = super().to_dict(include_meta, include_result)
        return {name: value for name, value in fields.items() if value != ""}

    @classmethod
    def waiting(cls, function: str, on_failure: str, retries: int, **fields: Any) -> NewJob:
        """A job that waits from now on.

        Args:
            on_failure: the function that a worker calls after each failed run.
            retries: how often it is put back.
            fields: as `Job.create` takes them.
        """
        job = cls.create(
            function,
            connection=NO_CONNECTION,
            serializer=JSONSerializer,
            status=JobStatus.QUEUED,
            retry=Retry(max=retries),
            on_failure=Callback(on_failure),
            **fields,
        )
        job.enqueued_at = now()
        return cast(NewJob, job)


def conversion_job(
    conversion: Conversion, submission: Submission, token: str, *, timeout: int, ttl: int
) -> Job:
    """The job of a conversion.

    Args:
        token: as `Questions.submit`.
        timeout: seconds that it may take.
        ttl: seconds that it is kept once it has ended.
    """
    filename, media_type = submission.filename, submission.media_type
    options = conversion.options.to_dict()
    job = copy.copy(_blank(timeout, ttl))
    job.id = conversion.job_id
    job.origin = submission.priority.value
    job.kwargs = {"conversion": conversion.to_dict(), "token": token, "filename": filename}
    job.description = f"{filename} → {conversion.named} {conversion.options}".rstrip()
    job.meta = {
        "filename": filename,
        "format": conversion.named,
        "quality": conversion.quality,
        **({"options": options} if options else {}),
        "size_in": submission.size,
        **({"media_type": media_type} if media_type else {}),
    }
    job.created_at = job.enqueued_at = now()
    return job


@lru_cache
def _blank(timeout: int, ttl: int) -> NewJob:
    """The fields that all conversions have in common, to be copied: RQ takes long to make a job,
    most of it for a look at its serializer."""
    return NewJob.waiting(
        keys.CONVERT_FUNCTION,
        keys.FAILURE_FUNCTION,
        RETRIES,
        description=keys.CONVERT_FUNCTION,
        timeout=timeout,
        result_ttl=ttl,
        failure_ttl=ttl,
    )


def queue_key(name: str) -> str:
    """The list of a queue in Redis."""
    return f"{Queue.redis_queue_namespace_prefix}{name}"


def enqueue_command(job: Job, queue: str, fields: dict[str, Any], ttl: int = NO_TTL) -> Command:
    """RQ's script, which accepts only one of many equal jobs.

    Args:
        ttl: seconds after which a waiting job expires.
    """
    pairs = [part for pair in fields.items() for part in pair]
    arguments = (job.id, _AT_THE_END, ttl, *pairs)
    return ("EVAL", UNIQUE_ENQUEUE_SCRIPT, 2, job.key, queue, *arguments)

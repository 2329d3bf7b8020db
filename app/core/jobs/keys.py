"""The names of queues, channels and keys in Redis, made in one place."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.picture.priority import Priority

MAINTENANCE_QUEUE = "maintenance"
"""The RQ queue of the cleanup."""

WEBHOOKS_QUEUE = "webhooks"
"""The RQ queue of the deliveries of events."""

PICTURE_QUEUES = tuple(priority.value for priority in Priority)
"""The RQ queues of the conversions, highest priority first."""

QUEUES = (MAINTENANCE_QUEUE, *PICTURE_QUEUES, WEBHOOKS_QUEUE)

RETIRED_QUEUE = "pictures"
"""The only RQ queue of older versions; its jobs are moved to these."""

EVENTS_CHANNEL = "tinyimage:events"
"""The pub/sub channel of the steps of all jobs."""

MAINTENANCE_LOCK = "tinyimage:maintenance"
"""The lock of the worker that looks for abandoned jobs."""

REGISTRIES_LOCK = "tinyimage:registries"
"""Exists while RQ's registries need no regular cleaning."""

UNFIT = "tinyimage:unfit"
"""Why recently started workers cannot convert."""

COUNTS = "tinyimage:metrics"
"""The counts of the workers: a hash of numbers, by names from `app.core.jobs.counted.counts`."""

CONVERT_FUNCTION = "workers.tasks.convert"
FAILURE_FUNCTION = "workers.tasks.report_failure"
CLEANUP_FUNCTION = "workers.tasks.cleanup"
FETCH_FUNCTION = "workers.fetch.fetch_source"
TAKE_FUNCTION = "workers.fetch.take_picture"
FETCH_FAILURE_FUNCTION = "workers.fetch.report_failure"
DELIVER_FUNCTION = "workers.webhooks.deliver"
DELIVER_FAILURE_FUNCTION = "workers.webhooks.report_failure"

CLEANUP_JOB_ID = "cleanup"


def check_queues(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if they are our RQ queues, each once; all queues for an empty tuple.

    Raises:
        ValueError: if one is not, or comes twice.
    """
    for name in names:
        if name not in QUEUES:
            raise ValueError(f"there is no queue {name!r}; choose from {', '.join(QUEUES)}")
        if names.count(name) > 1:
            raise ValueError(f"the queue {name} is named twice")
    return tuple(names) or QUEUES


def in_use(names: Sequence[str], *, webhooks: bool) -> tuple[str, ...]:
    """The queues of these that need a worker. By default no message is sent, and a process takes
    memory. An operator who names the queue of webhooks alone gets its worker all the same.

    Args:
        webhooks: whether anybody may be told.
    """
    if webhooks or len(names) == 1:
        return tuple(names)
    return tuple(name for name in names if name != WEBHOOKS_QUEUE)


def picture_jobs(md5: str) -> str:
    """The sorted set of the ids of a picture's jobs, by the time of their requests."""
    return f"tinyimage:picture:{md5}"


def output(id: str) -> str:
    """The meaning of an id of the Tinify API."""
    return f"tinyimage:output:{id}"


def shared_source(md5: str) -> str:
    """Where an upload of the Tinify API is that came a moment ago, for others of the same bytes."""
    return f"tinyimage:source:{md5}"


def compressions(month: str, digest: str = "") -> str:
    """The compressions of a month: a hash by key, or the count of one that is not configured."""
    return f"tinyimage:compressions:{month}{f':{digest}' if digest else ''}"


def batch(id: str) -> str:
    """The sorted set of the ids of a batch's jobs, by the time they were added. Behind a colon
    there are more keys: `open` and `failed`, the sets of jobs that are unfinished and have failed,
    `paths`, the name of each, and `facts`."""
    return f"tinyimage:batch:{id}"


def batches_of(job_id: str) -> str:
    """The set of the ids of a job's batches."""
    return f"tinyimage:batches:{job_id}"

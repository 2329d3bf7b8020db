"""Every name in Redis and in the storage, made in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.conversion import Conversion
from app.core.priority import Priority

MAINTENANCE_QUEUE = "maintenance"
"""The RQ queue of the cleanup."""

PICTURE_QUEUES = tuple(priority.value for priority in Priority)
"""The RQ queues of the conversions, those that go first first."""

QUEUES = (MAINTENANCE_QUEUE, *PICTURE_QUEUES)

RETIRED_QUEUE = "pictures"
"""The one RQ queue there was before these; what is still in it is brought over."""

EVENTS_CHANNEL = "tinyimage:events"
"""The pub/sub channel of the steps of all jobs."""

MAINTENANCE_LOCK = "tinyimage:maintenance"
"""Held by the one worker that looks for abandoned jobs."""

REGISTRIES_LOCK = "tinyimage:registries"
"""There while RQ's registries need not be cleaned for their own sake."""

UNFIT = "tinyimage:unfit"
"""Why workers that were started lately cannot convert."""

TALLY = "tinyimage:metrics"
"""What the workers have counted: a hash of numbers, by names that `app.core.tally` makes."""

RATE_PREFIX = "tinyimage:rate"
"""What the counts of `limits.rate` begin with."""

STORAGE_PREFIX = "tinyimage:storage"
"""What the keys of a storage in Redis begin with."""

CONVERT_FUNCTION = "workers.tasks.convert"
FAILURE_FUNCTION = "workers.tasks.report_failure"
CLEANUP_FUNCTION = "workers.tasks.cleanup"

CLEANUP_JOB_ID = "cleanup"

ORIGINALS = "originals"
RESULTS = "results"

START_CHECK = "health/check"
"""The storage key of an object that is written and deleted as a process starts. One for all: what
a process leaves that is killed between the two, the next one deletes."""

PROBE = "health/probe"
"""The storage key of a small object that is written and read to see whether that works."""

MD5_DIGITS = 32

_KEY = re.compile(
    rf"(?:{ORIGINALS}|{RESULTS})/[0-9a-f]{{2}}/(?P<job_id>[\w-]+)\.(?P<token>[0-9a-f]+)(?:\.\w+)?"
)


def check_queues(names: Sequence[str]) -> tuple[str, ...]:
    """The names if they are such of our RQ queues, each once; all if there are none.

    Raises:
        ValueError: if one is not, or comes twice.
    """
    for name in names:
        if name not in QUEUES:
            raise ValueError(f"there is no queue {name!r}; choose some of {', '.join(QUEUES)}")
        if names.count(name) > 1:
            raise ValueError(f"the queue {name} is named twice")
    return tuple(names) or QUEUES


def picture_jobs(md5: str) -> str:
    """The sorted set of the ids of a picture's jobs, by the time each was asked for."""
    return f"tinyimage:picture:{md5}"


def picture_of(job_id: str) -> str:
    """The MD5 of a job's picture, with which the id of the job begins."""
    return job_id[:MD5_DIGITS]


def original(conversion: Conversion, token: str) -> str:
    """The storage key of the original that belongs to one submission."""
    return f"{ORIGINALS}/{conversion.md5[:2]}/{conversion.job_id}.{token}"


def result(conversion: Conversion, token: str) -> str:
    """The storage key of the result that belongs to one submission."""
    return f"{RESULTS}/{conversion.md5[:2]}/{conversion.job_id}.{token}.{conversion.format}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The submission that a stored object belongs to."""

    job_id: str
    token: str


def owner(key: str) -> Owner | None:
    """The owner of the object `key`, or None if it is no original and no result."""
    match = _KEY.fullmatch(key)
    return Owner(match["job_id"], match["token"]) if match else None

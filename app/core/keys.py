"""Every name in Redis and in the storage, made in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.conversion import Conversion

QUEUE = "pictures"
"""The RQ queue of the conversions and the cleanup."""

EVENTS_CHANNEL = "tinyimage:events"
"""The pub/sub channel of the steps of all jobs."""

MAINTENANCE_LOCK = "tinyimage:maintenance"
"""Held by the one worker that looks for abandoned jobs."""

RATE_PREFIX = "tinyimage:rate"
"""What the counts of `limits.rate` begin with."""

CONVERT_FUNCTION = "workers.tasks.convert"
FAILURE_FUNCTION = "workers.tasks.report_failure"
CLEANUP_FUNCTION = "workers.tasks.cleanup"

CLEANUP_JOB_ID = "cleanup"

ORIGINALS = "originals"
RESULTS = "results"

_KEY = re.compile(
    rf"(?:{ORIGINALS}|{RESULTS})/[0-9a-f]{{2}}/(?P<job_id>[\w-]+)\.(?P<token>[0-9a-f]+)(?:\.\w+)?"
)


def picture_jobs(md5: str) -> str:
    """The sorted set of the ids of a picture's jobs, by the time each was asked for."""
    return f"tinyimage:picture:{md5}"


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

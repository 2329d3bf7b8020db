"""Pictures that are uploaded by their URL: a worker fetches each, and makes its jobs itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rq.job import JobStatus

from app.core.errors import TinyImageError
from app.core.jobs import keys
from app.core.jobs.facts import reason
from app.core.jobs.fetched.fetching import enqueue_fetch, read_fetch
from app.core.jobs.new_job import RETRIES, TIMEOUT_MARGIN, queue_key
from app.core.jobs.queue.withdrawal import withdraw_fetch_command
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient
from app.core.picture.retention import GRACE_SECONDS
from app.core.redis.commands import Batch, Command, Question

MAX_SOURCE_URL = 4096
"""Characters of a URL: presigned ones have some 2,000."""

ID_PATTERN = "fetch-[0-9a-f]{32}"

_ID = re.compile(ID_PATTERN)

JOBS = "jobs"
"""In the `meta` of a fetch that has ended well: the ids of the jobs that it has made."""

_FINISHED = JobStatus.FINISHED.value.encode()
_WAITING = frozenset(
    status.value.encode() for status in (JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED)
)


class LinkState(StrEnum):
    """How far an upload by its URL is."""

    FETCHING = "fetching"  # it waits for a worker, or one fetches it
    FAILED = "failed"  # it cannot be fetched, or is not a picture that can be converted
    TAKEN = "taken"  # its jobs are made


@dataclass(frozen=True, slots=True)
class Link:
    """An upload by its URL."""

    id: str
    state: LinkState
    job_ids: tuple[str, ...] = ()
    """Of its conversions, once it is taken."""
    error: str = ""
    error_code: str = TinyImageError.code


def is_id(value: str) -> bool:
    """Whether the value can be such an id."""
    return _ID.fullmatch(value) is not None


def enqueue(
    id: str,
    url: str,
    fields: Mapping[str, object],
    *,
    key: str | None,
    filename: str,
    priority: Priority,
    seconds: int,
    max_age_seconds: float,
    max_waiting: int,
    noted: Sequence[Command] = (),
    recipients: Sequence[Recipient] = (),
) -> Question[None]:
    """Have a worker fetch the file of a URL, and take it as an upload with these fields.

    Args:
        key: the name of the client's API key.
        seconds: how long a worker may take for the file.
        max_age_seconds: how long its outcome is kept.
        max_waiting: how many of the priority may wait; 0 for any number.
        noted: what is done in the same transaction, after it is enqueued.
        recipients: of the message if there is no picture, and of those about its conversions.

    Raises:
        QueueFull: if too many wait.
    """
    return enqueue_fetch(
        id,
        keys.TAKE_FUNCTION,
        {"url": url, "fields": dict(fields), "key": key, "filename": filename},
        priority=priority,
        timeout=seconds + 2 * TIMEOUT_MARGIN,
        kept_seconds=int(max_age_seconds) + GRACE_SECONDS,
        retries=RETRIES,
        max_waiting=max_waiting,
        noted=noted,
        recipients=recipients,
    )


def look_up(id: str) -> Question[Link | None]:
    """The upload with this id; None if it is unknown, or no longer known."""
    status, told = yield from read_fetch(id)
    if status is None:
        return None
    if status in _WAITING:
        return Link(id, LinkState.FETCHING)
    if status == _FINISHED and told.get(JOBS):
        return Link(id, LinkState.TAKEN, tuple(told[JOBS]))
    code = str(told.get("error_code", TinyImageError.code))
    return Link(
        id,
        LinkState.FAILED,
        error=reason(str(told.get("error", TinyImageError.example))),
        error_code=code,
    )


def withdraw(id: str, settle: Command) -> Question[bool]:
    """Delete an upload that waits to be fetched.

    Args:
        settle: the command that counts it anew in its batches.

    Returns:
        whether it was deleted; False if it does not wait, or a worker has it.
    """
    queues = tuple(queue_key(priority) for priority in Priority)
    withdrawn, _ = yield Batch([withdraw_fetch_command(id, queues), settle], atomic=True)
    return bool(withdrawn)

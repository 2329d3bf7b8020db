"""The RQ jobs in which a worker fetches a file by its URL, whatever it is fetched for."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from rq import Queue
from rq.job import Job

from app.core.jobs import keys
from app.core.jobs.new_job import NO_TTL, NewJob, enqueue_command, queue_key
from app.core.jobs.queue.questions import check_room
from app.core.jobs.webhooks.deliveries import RECIPIENTS, notes
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient
from app.core.redis.commands import Batch, Command, Question


def new_id() -> str:
    """An id that cannot be guessed, and is not an MD5."""
    return f"fetch-{secrets.token_hex(16)}"


def enqueue_fetch(
    id: str,
    function: str,
    arguments: Mapping[str, Any],
    *,
    priority: Priority,
    timeout: int,
    kept_seconds: int,
    retries: int,
    max_waiting: int,
    ttl: int = NO_TTL,
    noted: Sequence[Command] = (),
    recipients: Sequence[Recipient] = (),
) -> Question[None]:
    """Enqueue a fetch.

    Args:
        function: of the worker, with its arguments.
        timeout: seconds that it may take.
        kept_seconds: how long its outcome is kept.
        retries: how often it is put back after its worker died or its storage failed.
        max_waiting: how many of the priority may wait; 0 for any number.
        ttl: seconds after which it expires if no worker has taken it.
        noted: what is done in the same transaction, after it is enqueued.
        recipients: of the message about its failure.

    Raises:
        QueueFull: if too many wait.
    """
    yield from check_room(priority, max_waiting)
    job = NewJob.waiting(
        function,
        keys.FETCH_FAILURE_FUNCTION,
        retries,
        kwargs=dict(arguments),
        id=id,
        origin=priority.value,
        description="a picture by its URL",  # which is logged, and may hold a secret
        timeout=timeout,
        result_ttl=kept_seconds,
        failure_ttl=kept_seconds,
    )
    fields = job.to_dict()
    if recipients:
        fields[RECIPIENTS] = notes(recipients)
    queue = queue_key(priority)
    yield Batch(
        [
            ("SADD", Queue.redis_queues_keys, queue),
            enqueue_command(job, queue, fields, ttl),
            *noted,
        ],
        atomic=True,
    )


def read_fetch(id: str) -> Question[tuple[bytes | None, dict[str, Any]]]:
    """The status of a fetch, None if it is unknown or no longer known, and its `meta`."""
    ((status, meta),) = yield Batch([("HMGET", Job.key_for(id), "status", "meta")])
    return status, json.loads(meta) if meta else {}

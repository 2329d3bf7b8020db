"""Puts the jobs of dead workers back into their queues; any worker does it."""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry, clean_registries
from rq.worker_registration import clean_worker_registry

from app.core.jobs import keys
from app.core.jobs.queue.moves import move
from app.core.picture.priority import Priority

logger = logging.getLogger(__name__)

INTERMEDIATE_SECONDS = 10
"""How long a job may be on its way from the queue to a worker."""

SEEN_SECONDS = 60
"""How long it is remembered since when a job is on its way. One that is tried again later is on its
way anew: put back at once, it would be converted twice."""


def anything_begun(connection: redis.Redis) -> bool:
    """Whether any job is with a worker or on its way there, so that it could be abandoned, or waits
    in the retired queue.

    Raises:
        RedisError: if Redis cannot be reached.
    """
    retired = Queue(keys.RETIRED_QUEUE, connection=connection)
    queues = [retired, *(Queue(name, connection=connection) for name in keys.QUEUES)]
    places = [
        retired.key,
        *(queue.intermediate_queue.key for queue in queues),
        *(StartedJobRegistry(queue=queue).key for queue in queues),
    ]
    return bool(connection.exists(*places))


def maintain(connection: redis.Redis, job_class: type[Job], serializer: Any) -> None:
    """Put back abandoned jobs of any queue, and jobs in the retired queue.

    Raises:
        RedisError: if Redis cannot be reached.
        StopRequested: if a signal came. RQ ends an idle worker by it.
    """
    for name in (*keys.QUEUES, keys.RETIRED_QUEUE):
        queue = Queue(name, connection=connection, job_class=job_class, serializer=serializer)
        for clean in (clean_registries, clean_worker_registry, put_back, bring_over):
            try:
                clean(queue)
            except (RedisError, StopRequested):
                raise
            except Exception:
                # A single invalid job would keep all workers from all others.
                logger.exception("maintenance of the queue %s", queue.name)


def put_back(queue: Queue) -> None:
    """Put back each job whose worker died between taking it and starting it."""
    intermediate, connection = queue.intermediate_queue, queue.connection
    for job_id in intermediate.get_job_ids():
        if not _waits(queue, job_id):
            intermediate.remove(job_id)
            continue
        since = intermediate.get_first_seen_key(job_id)
        if connection.set(since, time.time(), nx=True, ex=SEEN_SECONDS):
            continue
        first_seen = intermediate.get_first_seen(job_id)
        if first_seen and time.time() - first_seen.timestamp() > INTERMEDIATE_SECONDS:
            move(connection, job_id, intermediate.key, queue, front=True)
            connection.delete(since)


def bring_over(queue: Queue) -> None:
    """Move the jobs of the retired queue to the current ones, in their order."""
    if queue.name != keys.RETIRED_QUEUE:
        return
    for job_id in queue.get_job_ids():
        is_cleanup = job_id == keys.CLEANUP_JOB_ID
        name = keys.MAINTENANCE_QUEUE if is_cleanup else Priority.INTERACTIVE.value
        move(queue.connection, job_id, queue.key, Queue(name, connection=queue.connection))


def _waits(queue: Queue, job_id: str) -> bool:
    """Whether there is such a job, and no worker has begun it."""
    try:
        job = queue.job_class.fetch(
            job_id, connection=queue.connection, serializer=queue.serializer
        )
    except NoSuchJobError:
        return False
    return bool(job.get_status(refresh=False) == JobStatus.QUEUED)

"""The state of the whole service, from Redis: queues, workers, and their counts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import redis
from rq import Queue
from rq.job import Job
from rq.utils import utcparse
from rq.worker import WorkerStatus
from rq.worker_registration import REDIS_WORKER_KEYS

from app.core.jobs import keys
from app.core.jobs.counted.compressions import month, parse_compressions
from app.core.jobs.counted.counts import Counts, parse_counts

UNFIT_SECONDS = 120
"""How long the error of an unfit worker is kept; the next start repeats it."""

LOOK_FIELD = "tinyimage_look"
"""The field of a worker in Redis that says what computes SSIMULACRA2 in its decoder."""

HEADS = 10
"""How many ids at the head of a queue are looked at for its oldest job: a job that was deleted from
outside leaves its id there until a worker finds it."""


@dataclass(frozen=True, slots=True)
class QueueState:
    name: str
    waiting: int
    """Jobs in it."""
    oldest_seconds: float
    """Seconds that its oldest job has waited, 0 in an empty queue; a job put back waits from then
    on."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Workers with a recent heartbeat."""

    live: int = 0
    busy: int = 0
    """Of these, workers with a job."""
    looks: tuple[str, ...] = ()
    """The programs that compute SSIMULACRA2 in their decoders, without repetition, in order."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole service."""

    queues: tuple[QueueState, ...]
    picture_workers: Workers
    """Workers of any queue of pictures."""
    other_workers: Workers
    counts: Counts
    compressions: Mapping[str, int] = field(default_factory=dict)
    """Of this month over the Tinify API, by key."""


def look(connection: redis.Redis) -> Overview:
    """The state of the whole service, in two round trips, however long the queues are.

    Raises:
        redis.RedisError: if Redis cannot be reached.
    """
    queues = [Queue(name, connection=connection) for name in keys.QUEUES]
    with connection.pipeline(transaction=False) as pipe:
        pipe.hgetall(keys.COUNTS)
        pipe.hgetall(keys.compressions(month()))
        pipe.smembers(REDIS_WORKER_KEYS)
        for queue in queues:
            pipe.llen(queue.key)
            pipe.lrange(queue.key, 0, HEADS - 1)
        counts, compressions, workers, *found = pipe.execute()
        lengths, heads = found[::2], found[1::2]
        for job_ids in heads:
            for job_id in job_ids:
                pipe.hget(Job.key_for(job_id.decode()), "enqueued_at")
        _ask_workers(pipe, workers)
        answers = iter(pipe.execute())
    now = time.time()
    states = tuple(
        QueueState(queue.name, length, _age([next(answers) for _ in job_ids], now))
        for queue, length, job_ids in zip(queues, lengths, heads, strict=True)
    )
    pictures, others = _count_workers(list(answers))
    return Overview(
        states, pictures, others, parse_counts(counts), parse_compressions(compressions)
    )


def picture_workers(connection: redis.Redis) -> Workers:
    """The workers that take pictures.

    Raises:
        redis.RedisError: if Redis cannot be reached.
    """
    workers = cast(set[bytes], connection.smembers(REDIS_WORKER_KEYS))
    with connection.pipeline(transaction=False) as pipe:
        _ask_workers(pipe, workers)
        return _count_workers(pipe.execute())[0]


def tell_unfit(connection: redis.Redis, reason: str) -> None:
    """Store the reason why a started worker cannot convert, for probes.

    Raises:
        redis.RedisError: if Redis cannot be reached.
    """
    connection.set(keys.UNFIT, reason, ex=UNFIT_SECONDS)


def why_unfit(connection: redis.Redis) -> str | None:
    """Why recently started workers cannot convert; None if they can.

    Raises:
        redis.RedisError: if Redis cannot be reached.
    """
    reason = cast(bytes | None, connection.get(keys.UNFIT))
    return reason.decode() if reason is not None else None


def _ask_workers(pipe: redis.client.Pipeline, workers: set[bytes]) -> None:
    for key in workers:
        pipe.hmget(key.decode(), "queues", "state", "death", LOOK_FIELD)


def _count_workers(found: list[list[bytes | None]]) -> tuple[Workers, Workers]:
    """Workers for pictures, and others. The hash of a silent worker has expired."""
    live, busy = [0, 0], [0, 0]
    looks: set[str] = set()
    for queues, state, death, look in found:
        if queues is None or death is not None:
            continue
        other = not set(queues.decode().split(",")) & set(keys.PICTURE_QUEUES)
        live[other] += 1
        busy[other] += state == WorkerStatus.BUSY.encode()
        if look and not other:
            looks.add(look.decode())
    return Workers(live[0], busy[0], tuple(sorted(looks))), Workers(live[1], busy[1])


def _age(enqueued: list[bytes | None], now: float) -> float:
    """Seconds since the first of these times; the clock of their writer may be ahead."""
    times = [utcparse(value.decode()).timestamp() for value in enqueued if value]
    return max(0.0, now - min(times)) if times else 0.0

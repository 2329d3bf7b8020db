"""What Redis tells of the whole service, with many jobs and workers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import redis
from rq.job import Job
from rq.utils import utcformat

from app.core.jobs import keys
from app.core.jobs.counted.counts import (
    BOUNDS,
    Restart,
    count_done,
    count_failed,
    count_restarts,
    parse_counts,
)
from app.core.jobs.counted.overview import Workers, look
from tests import rq_keys

QUEUE = keys.PICTURE_QUEUES[0]


def workers(connection: redis.Redis, count: int, queues: str, **more: str) -> None:
    """Workers as RQ lists them."""
    with connection.pipeline() as pipe:
        for number in range(count):
            key = rq_keys.worker(f"{queues}.{more.get('state', 'idle')}.{number}")
            pipe.sadd(rq_keys.WORKERS, key)
            pipe.hset(key, mapping=cast(Any, {"queues": queues, "state": "idle", **more}))
        pipe.execute()


def commands(connection: redis.Redis) -> int:
    """How many commands Redis has answered."""
    return int(connection.info("stats")["total_commands_processed"])


def test_live_and_busy_workers_are_told_apart_by_what_they_take(connection: redis.Redis) -> None:
    workers(connection, 3, f"other,{QUEUE}")
    workers(connection, 2, QUEUE, state="busy", tinyimage_look="vszip")
    workers(connection, 1, "elsewhere", state="busy")
    workers(connection, 4, QUEUE, state="suspended", death="2026-01-01T00:00:00Z")
    connection.sadd(rq_keys.WORKERS, rq_keys.worker("expired"))
    fleet = look(connection)
    assert fleet.picture_workers == Workers(live=5, busy=2, looks=("vszip",))
    assert fleet.other_workers == Workers(live=1, busy=1)


def test_ten_thousand_jobs_and_two_hundred_workers_cost_no_more_commands_than_workers(
    connection: redis.Redis,
) -> None:
    workers(connection, 200, QUEUE, state="busy")
    now = datetime.now(UTC)
    with connection.pipeline() as pipe:
        for number in range(10_000):
            pipe.rpush(rq_keys.queue(QUEUE), f"job{number}")
        # The first was deleted by hand, and left its id.
        for number, seconds in ((1, 100), (2, 50)):
            enqueued = utcformat(now - timedelta(seconds=seconds))
            pipe.hset(Job.key_for(f"job{number}"), "enqueued_at", enqueued)
        pipe.execute()
    before = commands(connection)
    fleet = look(connection)
    assert commands(connection) - before < 200 + 50
    (state,) = (queue for queue in fleet.queues if queue.name == QUEUE)
    assert state.waiting == 10_000
    assert 100 <= state.oldest_seconds < 1000
    assert fleet.picture_workers == Workers(200, 200)


def test_a_clock_that_is_ahead_makes_no_negative_age(connection: redis.Redis) -> None:
    later = utcformat(datetime.now(UTC) + timedelta(hours=1))
    connection.rpush(rq_keys.queue(QUEUE), "job")
    connection.hset(Job.key_for("job"), "enqueued_at", later)
    assert {queue.oldest_seconds for queue in look(connection).queues} == {0.0}


def test_conversions_are_counted_in_the_bucket_they_belong_to(connection: redis.Redis) -> None:
    with connection.pipeline() as pipe:
        for milliseconds in (10, 11, 61_000, "nonsense", None, -5, float("inf")):
            meta = {"format": "webp", "size_in": 5, "size_out": 7, "milliseconds": milliseconds}
            count_done(pipe, meta)
        count_done(pipe, {"format": "exe"})
        count_failed(pipe, {"format": "png", "error_code": "made_up"})
        pipe.execute()
    count_restarts(connection, {Restart.WORN: 2})
    count_restarts(connection, {Restart.WORN: 1})
    counts = parse_counts(cast(dict[bytes, bytes], connection.hgetall(keys.COUNTS)))
    webp = counts.done["webp"]
    # Up to and with 10 ms, up to and with 25 ms, and beyond the last bound.
    assert (webp.buckets[0], webp.buckets[1], webp.buckets[-1]) == (5, 1, 1)
    assert len(webp.buckets) == len(BOUNDS) + 1
    assert (webp.count, webp.bytes_in, webp.bytes_out, webp.bytes_saved) == (7, 35, 49, 0)
    assert counts.done["other"].count == 1
    assert counts.done["avif"].count == counts.failed["avif", "processing_failed"] == 0
    assert counts.failed["png", "other"] == 1
    assert counts.restarts == {"worn": 3, "crashed": 0, "timed_out": 0, "died": 0}

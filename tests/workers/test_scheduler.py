"""The cleanup's registration."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.jobs import keys
from app.core.redis.client import connect
from tests import rq_keys
from tests.conftest import running_redis
from tests.service import Process, environment, until
from workers.scheduler import CleanupScheduler, scheduling

SCHEDULED = CleanupScheduler.scheduled_jobs_key


def _job(connection: redis.Redis) -> Job:
    return Job.fetch(keys.CLEANUP_JOB_ID, connection=connection, serializer=JSONSerializer)


def test_however_many_schedulers_register_there_is_one_cleanup(connection: redis.Redis) -> None:
    for _ in range(3):
        CleanupScheduler(connection, 600).register_cleanup()
    assert connection.zrange(SCHEDULED, 0, -1) == [keys.CLEANUP_JOB_ID.encode()]
    assert _job(connection).func_name == keys.CLEANUP_FUNCTION


def test_a_second_scheduler_does_not_put_the_next_cleanup_off(connection: redis.Redis) -> None:
    CleanupScheduler(connection, 600).register_cleanup()
    before = connection.zscore(SCHEDULED, keys.CLEANUP_JOB_ID)
    CleanupScheduler(connection, 600).register_cleanup()
    assert connection.zscore(SCHEDULED, keys.CLEANUP_JOB_ID) == before


def test_a_changed_interval_is_taken_up(connection: redis.Redis) -> None:
    CleanupScheduler(connection, 600).register_cleanup()
    CleanupScheduler(connection, 60).register_cleanup()
    assert _job(connection).meta["interval"] == 60


def test_a_registration_with_another_queue_is_replaced(connection: redis.Redis) -> None:
    scheduler = CleanupScheduler(connection, 600)
    scheduler.register_cleanup()
    connection.hset(rq_keys.job(keys.CLEANUP_JOB_ID), "origin", keys.RETIRED_QUEUE)
    scheduler.enqueue_jobs()
    assert Queue(keys.MAINTENANCE_QUEUE, connection=connection).job_ids == [keys.CLEANUP_JOB_ID]
    assert Queue(keys.RETIRED_QUEUE, connection=connection).job_ids == []
    assert connection.zcard(SCHEDULED) == 1


def test_a_cleanup_that_nobody_takes_is_told_of_at_each_interval(
    redis_url: str, tmp_path: Path
) -> None:
    env = environment(tmp_path, REDIS__URL=redis_url, CLEANUP__INTERVAL=1)
    scheduler = Process(["workers.scheduler"], env)
    try:
        scheduler.wait_for("still waits in the queue maintenance: does a worker serve it?")
    finally:
        assert scheduler.terminate() == 0


def test_a_cleanup_that_was_lost_is_registered_again(connection: redis.Redis) -> None:
    scheduler = CleanupScheduler(connection, 600)
    scheduler.enqueue_jobs()
    connection.delete(rq_keys.job(keys.CLEANUP_JOB_ID))
    scheduler.enqueue_jobs()
    assert _job(connection).meta["interval"] == 600
    assert connection.zcard(SCHEDULED) == 1


def test_a_cleanup_that_still_waits_is_not_enqueued_twice(connection: redis.Redis) -> None:
    scheduler = CleanupScheduler(connection, 600)
    for _ in range(3):
        scheduler.enqueue_jobs()
        connection.zadd(SCHEDULED, {keys.CLEANUP_JOB_ID: 1})
    assert Queue(keys.MAINTENANCE_QUEUE, connection=connection).job_ids == [keys.CLEANUP_JOB_ID]


def test_a_killed_scheduler_is_followed_by_another(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    env = environment(tmp_path, REDIS__URL=redis_url, CLEANUP__INTERVAL=1)
    queue = Queue(keys.MAINTENANCE_QUEUE, connection=connection)
    for _ in range(2):
        scheduler = Process(["workers.scheduler"], env)
        try:
            until(lambda: queue.job_ids == [keys.CLEANUP_JOB_ID], 40, "the cleanup is enqueued")
        finally:
            scheduler.destroy()
        connection.delete(queue.key)  # as if a worker had taken it
    assert connection.zcard(SCHEDULED) == 1


def test_a_scheduler_stops_though_its_redis_went_away_at_the_same_moment(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as embedded:
        scheduler = Process(["workers.scheduler"], environment(tmp_path, REDIS__URL=embedded.url))
        try:
            with redis.Redis.from_url(embedded.url) as connection:
                until(lambda: connection.exists(SCHEDULED), what="the scheduler is at work")
            assert embedded.process is not None
            embedded.process.kill()
            assert scheduler.terminate(seconds=5) == 0
        finally:
            scheduler.destroy()


def test_a_scheduler_waits_for_a_redis_that_is_gone_and_stops_on_a_signal(tmp_path: Path) -> None:
    env = environment(tmp_path, REDIS__URL=f"unix://{tmp_path}/nothing.sock")
    scheduler = Process(["workers.scheduler"], env)
    try:
        scheduler.wait_for("scheduler: Redis")
        assert scheduler.running
        assert scheduler.terminate(seconds=5) == 0
    finally:
        scheduler.destroy()


def test_a_scheduler_beside_a_worker_ends_with_it_and_keeps_no_other_waiting(
    connection: redis.Redis,
) -> None:
    queue = Queue(keys.MAINTENANCE_QUEUE, connection=connection)
    with scheduling(connection, 600):
        until(lambda: queue.job_ids == [keys.CLEANUP_JOB_ID], what="the cleanup is enqueued")
        (instance,) = connection.keys("rq:scheduler_instance:*")
        assert not connection.hexists(instance, "death")
    assert connection.hexists(instance, "death")
    assert not connection.exists(CleanupScheduler.scheduler_lock_key)


def test_a_scheduler_beside_a_worker_waits_for_a_redis_that_is_gone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with connect(f"unix://{tmp_path}/nothing.sock") as gone, scheduling(gone, 600):
        until(lambda: "scheduler: Redis" in caplog.text, what="it is told of")
    assert not [thread for thread in threading.enumerate() if thread.name == "scheduler"]

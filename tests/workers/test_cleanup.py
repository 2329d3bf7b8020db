"""The cleanup in a worker that is told to stop."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import cast

import redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.jobs import keys
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from imaging.formats import Format
from tests.service import Process, environment, until
from tests.workers.alone import workers

FILES = 20_000


def _old_files(folder: Path) -> None:
    """As many files as take some seconds to delete, without jobs and older than `max_age`."""
    long_ago = time.time() - 48 * 3600
    for number in range(FILES):
        conversion = Conversion(f"{number:032x}", Format.WEBP, 0)
        path = folder / "output" / paths.original(conversion, "0123456789abcdef")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (long_ago, long_ago))


def _left(folder: Path) -> int:
    return sum(len(names) for _, _, names in os.walk(folder / "output"))


def _files(job: Job) -> int:
    """How many files the cleanup has deleted."""
    result = cast(dict[str, int], job.return_value())
    return result["files"]


def _enqueue(connection: redis.Redis) -> Job:
    queue = Queue(keys.MAINTENANCE_QUEUE, connection=connection, serializer=JSONSerializer)
    return queue.enqueue(keys.CLEANUP_FUNCTION)


def test_a_cleanup_stops_with_its_worker_and_the_next_one_does_the_rest(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    _old_files(tmp_path)
    env = environment(tmp_path, REDIS__URL=redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1)
    pool = Process(["workers"], env)
    try:
        job = _enqueue(connection)
        until(lambda: _left(tmp_path) < FILES, what="the cleanup has begun")
        assert pool.terminate(signal.SIGTERM) == 0
    finally:
        pool.destroy()
    assert job.get_status() is JobStatus.FINISHED
    deleted = _files(job)
    assert 0 < deleted < FILES
    assert _left(tmp_path) == FILES - deleted
    pool = Process(["workers"], env)
    try:
        rest = _enqueue(connection)
        until(lambda: rest.get_status() is JobStatus.FINISHED, what="the next cleanup has ended")
    finally:
        pool.terminate()
    assert _files(rest) == FILES - deleted
    assert _left(tmp_path) == 0


def test_what_was_fetched_and_not_taken_goes_after_a_quarter_of_an_hour(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    old, new = (tmp_path / "output" / paths.fetched(token) for token in ("ab01", "cd02"))
    for path, age in ((old, 1000), (new, 800)):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a picture")
        os.utime(path, (time.time() - age,) * 2)
    with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1):
        job = _enqueue(connection)
        until(lambda: job.get_status() == JobStatus.FINISHED, what="the cleanup is done")
    assert not old.exists()
    assert new.exists()

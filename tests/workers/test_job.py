"""Whoever can write to Redis cannot run code in a worker."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Callback, Queue
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer, PickleSerializer

from app.core.jobs import keys
from app.core.picture.priority import Priority
from app.run.embedded import EmbeddedRedis
from tests.service import Process, environment, until


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A folder that is there as soon as code of ours has run."""
    return tmp_path / "trap"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the worker has its files."""
    return tmp_path_factory.mktemp("worker")


@pytest.fixture(scope="module")
def pool(session_redis: EmbeddedRedis, folder: Path) -> Iterator[Process]:
    """One for all: to each job it answers as if it were the first."""
    env = environment(folder, REDIS__URL=session_redis.url, WORKERS__QUEUES="interactive")
    pool = Process(["workers"], env)
    try:
        yield pool
    finally:
        assert pool.terminate() == 0


@pytest.fixture
def worker(pool: Process, redis_url: str) -> Process:
    pool.log.clear()
    return pool


def _json_queue(connection: redis.Redis) -> Queue:
    return Queue(Priority.INTERACTIVE.value, connection=connection, serializer=JSONSerializer)


def _reason(job: Job) -> str:
    """Why it has failed."""
    until(lambda: job.get_status() == JobStatus.FAILED, what="the job is failed")
    result = job.latest_result()
    assert result is not None
    return str(result.exc_string)


class _Pickled:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self._path),))


@pytest.mark.parametrize("function", ["os.mkdir", "workers.tasks.os.mkdir", "pathlib.Path.mkdir"])
def test_a_job_that_names_another_function_is_failed_with_the_reason(
    worker: Process, connection: redis.Redis, trap: Path, function: str
) -> None:
    job = _json_queue(connection).enqueue(function, str(trap))
    assert "is not a function of this server" in _reason(job)
    assert not trap.exists()


def test_a_job_that_takes_its_function_from_an_instance_is_failed(
    worker: Process, connection: redis.Redis
) -> None:
    queue = _json_queue(connection)
    job = queue.create_job(keys.CLEANUP_FUNCTION)
    job.data = JSONSerializer.dumps(["upper", "a string, which has methods", [], {}])
    job.save()
    queue.enqueue_job(job)
    assert "is not a function of this server" in _reason(job)


def test_a_pickled_job_is_not_unpickled(
    worker: Process, connection: redis.Redis, trap: Path
) -> None:
    queue = Queue(Priority.INTERACTIVE.value, connection=connection, serializer=PickleSerializer)
    job = queue.enqueue(keys.CONVERT_FUNCTION, _Pickled(trap), meta={"more": _Pickled(trap)})
    until(lambda: connection.hget(job.key, "status") == b"failed", what="the job is failed")
    assert not trap.exists()
    assert pickle.loads(pickle.dumps(_Pickled(trap))) is None  # the trap would have worked
    assert trap.exists()


@pytest.mark.parametrize("when", ["on_success", "on_failure", "on_stopped"])
@pytest.mark.parametrize("function", [keys.CLEANUP_FUNCTION, keys.CONVERT_FUNCTION])
def test_what_a_job_would_have_called_afterwards_is_not_called(
    worker: Process, connection: redis.Redis, function: str, when: str
) -> None:
    # It would be imported, and print a text into the log.
    job = _json_queue(connection).enqueue(function, **{when: Callback("this.nothing")})
    until(lambda: job.get_status() in (JobStatus.FAILED, JobStatus.FINISHED), what="an end")
    assert not any("Zen of Python" in line for line in worker.log)


def test_a_hostile_job_does_not_keep_the_worker_from_the_next(
    worker: Process, connection: redis.Redis
) -> None:
    queue = _json_queue(connection)
    refused = queue.enqueue("os.abort", retry=None)
    connection.hset(refused.key, "retries_left", 10**9)
    cleanup = queue.enqueue(keys.CLEANUP_FUNCTION)
    until(lambda: cleanup.get_status() == JobStatus.FINISHED, what="the next job is run")
    assert refused.get_status() == JobStatus.FAILED


@pytest.mark.parametrize("token", ["../../../trap", "/trap", "a/../../../trap"])
def test_a_job_names_no_file_outside_the_storage(
    worker: Process, connection: redis.Redis, folder: Path, token: str
) -> None:
    (folder / "trap").write_bytes(b"not for anybody")
    conversion = {"md5": "0" * 32, "format": "webp", "quality": 0}
    arguments = {"conversion": conversion, "token": token, "filename": "x"}
    job = _json_queue(connection).enqueue(keys.CONVERT_FUNCTION, kwargs=arguments)
    _reason(job)
    assert (folder / "trap").read_bytes() == b"not for anybody"
    outside = {path.name for path in folder.iterdir()} - {"output", "trap"}
    assert outside == set()

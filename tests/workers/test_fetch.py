"""A worker fetches what a URL leads to, and whoever asked hears of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue
from rq.exceptions import AbandonedJobError
from rq.serializers import JSONSerializer

from app.core.errors import SourceNotFound, Unavailable
from app.core.jobs.events import Events
from app.core.jobs.fetched import links
from app.core.jobs.fetched.fetching import new_id
from app.core.jobs.keys import WEBHOOKS_QUEUE
from app.core.picture import paths
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient
from app.core.redis.client import FailFastRedis
from app.core.redis.commands import ask
from app.web.service import fetches
from app.web.service.fetches import Fetches
from tests import rq_keys
from tests.hosts import PICTURE, Host, host
from tests.service import Process, until
from tests.workers.alone import workers
from workers.fetch import report_failure
from workers.job import CheckedJob

ON = {"FETCH__ENABLED": "true", "FETCH__ALLOWED_NETWORKS": "127.0.0.1/32", "FETCH__TIMEOUT": "3"}


@pytest.fixture(name="host")
def _host() -> Iterator[Host]:
    with host() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is heard of ends the wait, not the next look."""
    monkeypatch.setattr(fetches, "REREAD_SECONDS", 600.0)


@pytest.fixture(name="worker")
def _worker(redis_url: str, tmp_path: Path) -> Iterator[Process]:
    with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1, **ON) as running:
        yield running


@contextlib.asynccontextmanager
async def _fetches(url: str, *, enabled: bool = True) -> AsyncIterator[Fetches]:
    client, events = FailFastRedis(url), Events(url)
    await events.start()
    try:
        yield Fetches(client, events, enabled=enabled, seconds=5)
    finally:
        await events.stop()
        await client.close()


def _run(url: str, scenario: Callable[[Fetches], Coroutine[Any, Any, None]], **given: Any) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), _fetches(url, **given) as files:
            await scenario(files)

    asyncio.run(run())


def test_a_file_is_stored_under_the_key_or_it_is_said_why_not(
    worker: Process,
    host: Host,
    redis_url: str,
    connection: redis.Redis,
    tmp_path: Path,
) -> None:
    key = paths.fetched(secrets.token_hex(16))

    async def scenario(files: Fetches) -> None:
        assert await files.fetch(f"{host.url}/picture?secret=a-word", key) == len(PICTURE)
        for path, reason in {
            "/status/403": "Server responded with 403",
            "/slow": "The server took longer than 3 seconds",
            "/to/http://127.0.0.2/": "The URL does not lead to a public address",
        }.items():
            with pytest.raises(SourceNotFound) as failed:
                await files.fetch(host.url + path, paths.fetched(secrets.token_hex(16)))
            assert str(failed.value) == reason

    _run(redis_url, scenario)
    assert (tmp_path / "output" / key).read_bytes() == PICTURE
    assert not any("a-word" in line for line in worker.log)
    # Nothing of it counts as a picture, and all of it goes by itself.
    assert not connection.keys("tinyimage:picture:*")
    assert not connection.hgetall("tinyimage:metrics")
    jobs = list(connection.scan_iter(rq_keys.job("fetch-*")))
    assert all(0 < int(connection.ttl(job)) <= 120 for job in jobs)


def test_nothing_is_fetched_unless_it_is_switched_on(
    redis_url: str, tmp_path: Path, host: Host
) -> None:
    async def scenario(files: Fetches) -> None:
        with pytest.raises(SourceNotFound, match="not fetched from URLs here"):
            await files.fetch(f"{host.url}/picture", paths.fetched("ab"))

    _run(redis_url, scenario, enabled=False)
    with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1):
        _run(redis_url, scenario)  # a web process that is set otherwise than its workers
    assert not host.requests


def test_without_a_worker_the_wait_ends(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetches, "WAIT_SECONDS", 1)
    monkeypatch.setattr(fetches, "REREAD_SECONDS", 0.1)

    async def scenario(files: Fetches) -> None:
        with pytest.raises(Unavailable, match="No worker has time for it"):
            await files.fetch("http://example.org/", paths.fetched("ab"))

    _run(redis_url, scenario)


def test_a_worker_that_is_killed_leaves_it_to_the_next(
    redis_url: str, connection: redis.Redis, tmp_path: Path, host: Host
) -> None:
    key = paths.fetched(secrets.token_hex(16))

    async def scenario(files: Fetches) -> None:
        fetched = asyncio.create_task(files.fetch(f"{host.url}/first_silent", key))
        await asyncio.to_thread(until, lambda: host.requests, 30.0, "it is asked for")
        for process in first.family():
            with contextlib.suppress(Exception):
                process.kill()
        with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1, **ON):
            assert await fetched == len(PICTURE)

    settings = {**ON, "FETCH__TIMEOUT": "60"}
    with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1, **settings) as first:
        _run(redis_url, scenario)
    assert (tmp_path / "output" / key).read_bytes() == PICTURE
    assert not connection.exists(rq_keys.queue("interactive"))


def test_an_upload_by_its_url_whose_workers_all_died_is_told_of(connection: redis.Redis) -> None:
    id, shop = new_id(), Recipient(name="shop")
    ask(
        connection,
        links.enqueue(
            id,
            "https://example.org/a.jpg?token=s3cr3t",
            {},
            key=None,
            filename="a.jpg",
            priority=Priority.INTERACTIVE,
            seconds=1,
            max_age_seconds=60,
            max_waiting=0,
            recipients=[shop],
        ),
    )
    job = CheckedJob.fetch(id, connection, JSONSerializer)
    job.retries_left = 0
    # As the maintenance of another worker ends a job that it finds abandoned.
    report_failure(job, connection, AbandonedJobError, AbandonedJobError(), None)
    with connection.pipeline() as pipe:
        job._handle_failure("lost", pipe, worker_name="")
        pipe.execute()
    (told,) = Queue(WEBHOOKS_QUEUE, connection, serializer=JSONSerializer).jobs
    assert told.kwargs["to"] == shop.id
    event = json.loads(told.kwargs["payload"])
    assert event["type"] == "image.failed"
    assert event["data"] == {
        "id": id,
        "status": "failed",
        "host": "example.org",
        "filename": "a.jpg",
        "error": {"code": "interrupted", "message": "The worker that fetched it stopped"},
    }

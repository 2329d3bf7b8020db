"""What many tests share: one server for all that do not change it, a Redis, clients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.core.config.settings import CONFIG_VARIABLE
from app.run.embedded import EmbeddedRedis
from tests.fleet import Fleet, fleet_on_redis, fleet_on_s3
from tests.s3 import S3Server, s3_server
from tests.service import Client, Service, service


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service | Fleet]:
    """A whole server, for tests that bring pictures of their own and change nothing else; or, where
    a test asks for that, a fleet that answers as one."""
    folder, kind = tmp_path_factory.mktemp("server"), getattr(request, "param", "one")
    if kind == "one":
        with service(folder, UPLOAD__MAX_UPLOAD_SIZE="10MB") as running:
            yield running
        return
    fleet_of = {"s3": fleet_on_s3, "redis": fleet_on_redis}[kind]
    (folder / "fleet").mkdir()
    with (
        running_redis(folder / "redis") as embedded,
        fleet_of(folder / "fleet", embedded.url) as fleet,
    ):
        yield fleet


@pytest.fixture
def client(server: Service | Fleet) -> Iterator[Client]:
    """A client of `server`."""
    client = server.client()
    with client.http:
        yield client


@pytest.fixture(autouse=True)
def _own_config(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a configuration file leaves its name in the environment, for the processes that are
    started then; the next test is to know nothing of it."""
    monkeypatch.setenv(CONFIG_VARIABLE, "")
    monkeypatch.delenv(CONFIG_VARIABLE)


@pytest.fixture
def no_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration file that says nothing."""
    file = tmp_path / "empty.yaml"
    file.write_text("{}")
    monkeypatch.setenv(CONFIG_VARIABLE, str(file))


@contextlib.contextmanager
def running_redis(folder: Path) -> Iterator[EmbeddedRedis]:
    """A redis-server with its data in `folder`."""
    embedded = EmbeddedRedis(folder)
    embedded.lock()
    embedded.start()
    try:
        yield embedded
    finally:
        embedded.stop(10)


@pytest.fixture(scope="session")
def session_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """A Redis for all tests of this process; use `redis_url`."""
    with running_redis(tmp_path_factory.mktemp("redis")) as embedded:
        yield embedded


@pytest.fixture(scope="session")
def session_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 for all tests of this process, each with a prefix of its own."""
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture
def redis_url(session_redis: EmbeddedRedis) -> Iterator[str]:
    """An empty Redis."""
    with contextlib.closing(redis.Redis.from_url(session_redis.url)) as connection:
        connection.flushall()
        yield session_redis.url


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    """A connection to an empty Redis."""
    with contextlib.closing(redis.Redis.from_url(redis_url)) as connection:
        yield connection

"""What many tests share: one server for all that do not change it, a Redis, clients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.core.embedded import EmbeddedRedis
from tests.service import Client, Service, service


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A whole server, for tests that bring pictures of their own and change nothing else."""
    with service(tmp_path_factory.mktemp("server"), UPLOAD__MAX_UPLOAD_SIZE="10MB") as running:
        yield running


@pytest.fixture
def client(server: Service) -> Iterator[Client]:
    """A client of `server`."""
    client = Client(server.url)
    with client.http:
        yield client


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

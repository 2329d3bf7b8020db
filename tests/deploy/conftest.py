"""A Redis for the deployments, and all services of docker-compose.yaml with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from app.run.embedded import EmbeddedRedis
from bench.launch import free_port
from tests.deploy.compose import services
from tests.deploy.containers import Container
from tests.service import Client
from tests.tls import port_of

LOOPBACK = {"TINYIMAGE_SERVER__HOST": "127.0.0.1"}
ONE_TASK = {"TINYIMAGE_UPLOAD__MAX_CONCURRENT_TASKS": "1"}
"""A worker container is then a worker for pictures and one for the cleanup: quick to start."""


@pytest.fixture(scope="session")
def deploy_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis; its database 0 belongs to `stack`."""
    embedded = EmbeddedRedis(tmp_path_factory.mktemp("deploy-redis"))
    embedded.lock()
    try:
        embedded.start()
        # By a port, as other containers have it: its socket is for its own user alone.
        with port_of(embedded.url) as port:
            yield f"redis://127.0.0.1:{port}/0"
    finally:
        embedded.stop(10)


@pytest.fixture
def empty_redis(deploy_redis: str) -> str:
    """The address of an empty database of it."""
    url = f"{deploy_redis.removesuffix('/0')}/1"
    with contextlib.closing(redis.Redis.from_url(url)) as connection:
        connection.flushdb()
    return url


@dataclass(frozen=True, slots=True)
class Stack:
    """`docker compose up --scale worker=2`."""

    containers: dict[str, Container]
    """By service; the second worker is "worker-2"."""
    client: Client
    dashboard: Client
    connection: redis.Redis


@pytest.fixture(scope="session")
def stack(deploy_redis: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All services that our images run, each in a folder of its own, started at once."""
    folder = tmp_path_factory.mktemp("stack")
    ports = {"web": free_port(), "rq-dashboard": free_port()}
    role = {"REDIS_URL": deploy_redis, **ONE_TASK}
    changes = {
        "web": {**role, **LOOPBACK, "PORT": str(ports["web"])},
        "worker": role,
        "worker-2": role,
        "scheduler": role,
        "rq-dashboard": {
            "RQ_DASHBOARD_REDIS_URL": deploy_redis,
            "RQ_DASHBOARD_BIND": "127.0.0.1",
            "RQ_DASHBOARD_PORT": str(ports["rq-dashboard"]),
        },
    }
    with contextlib.ExitStack() as opened:
        containers = {
            name: opened.enter_context(
                services()[name.removesuffix("-2")].start(folder / name, folder / "volumes", values)
            )
            for name, values in changes.items()
        }
        clients = {name: Client(f"http://127.0.0.1:{port}") for name, port in ports.items()}
        for client in clients.values():
            opened.enter_context(client.http)
        connection = opened.enter_context(contextlib.closing(redis.Redis.from_url(deploy_redis)))
        yield Stack(containers, clients["web"], clients["rq-dashboard"], connection)

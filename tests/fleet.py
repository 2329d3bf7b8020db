"""Two web processes and two worker processes as on four machines: they share a Redis and a storage,
and no folder."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import psutil

from app.core.redis.client import connect
from app.core.storage.redis_storage import RedisStorage
from bench.launch import free_port
from tests import rq_keys
from tests.forward import Streams, forwarded
from tests.s3 import s3_server
from tests.service import Client, Family, Process, environment, until
from tests.storage import Blocking

WORKERS = (2, 1)
"""Pictures that each worker process converts at once: together as many as one server does."""


WEB: dict[str, Any] = {
    "UPLOAD__MAX_UPLOAD_SIZE": "10MB",
    "UPLOAD__MAX_CONCURRENT_TASKS": sum(WORKERS),
}
"""Settings of each web, and of one server that does the work of a fleet; `/` tells them."""


class StoredObject(Protocol):
    """What a test wants of an object, and a file has."""

    @property
    def name(self) -> str: ...

    def unlink(self) -> None: ...


class InRedis:
    """An object of a storage in Redis."""

    def __init__(self, storage: Blocking[RedisStorage], key: str) -> None:
        self._storage, self._key = storage, key
        self.name = key.rpartition("/")[2]

    def unlink(self) -> None:
        self._storage.delete([self._key])


class Fleet(Family):
    """Done with the fleet what a test does with one server: requests go to both webs in turn."""

    def __init__(self, processes: list[Process], port: int, redis_url: str) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.ws_url = f"ws://127.0.0.1:{port}/ws"
        self.redis_url = redis_url
        self._processes = processes

    @property
    def log(self) -> list[str]:
        return [line for process in self._processes for line in list(process.log)]

    def client(self) -> Client:
        """One that takes a new connection for each request, and so the other web."""
        return Client(self.url, keep_alive=False)

    def wait_for(self, text: str, seconds: float = 60.0) -> str:
        def found() -> str | None:
            return next((line for line in self.log if text in line), None)

        return str(until(found, seconds, f"{text!r} in the log"))

    def family(self) -> list[psutil.Process]:
        return [process for mine in self._processes for process in mine.family()]

    def stored(self, prefix: str) -> list[StoredObject]:
        raise NotImplementedError


@contextlib.contextmanager
def _running(
    folder: Path, redis_url: str, shared: Mapping[str, str], kind: type[Fleet]
) -> Iterator[Fleet]:
    processes: list[Process] = []
    ports = [free_port(), free_port()]

    def start(name: str, arguments: list[str], port: int | None = None, **settings: Any) -> None:
        machine = folder / name
        machine.mkdir()
        env = environment(machine, port, REDIS__URL=redis_url, **settings) | dict(shared)
        processes.append(Process(arguments, env, cwd=machine))

    turns = itertools.cycle(ports)

    async def next_web() -> Streams:
        return await asyncio.open_connection("127.0.0.1", next(turns))

    try:
        for number, port in enumerate(ports):
            start(f"web{number}", ["app", "web"], port, **WEB)
        for number, count in enumerate(WORKERS):
            start(f"worker{number}", ["workers"], UPLOAD__MAX_CONCURRENT_TASKS=count)
        for port in ports:
            until(Client(f"http://127.0.0.1:{port}").answers, what="the web answers")
        with contextlib.closing(connect(redis_url)) as connection:
            until(
                lambda: connection.scard(rq_keys.WORKERS) >= sum(WORKERS), what="the workers wait"
            )
        with forwarded(next_web) as port:
            yield kind(processes, port, redis_url)
        statuses = [process.terminate() for process in processes]
        assert statuses == [0] * 4
        # Nothing was kept where another could not find it.
        assert [path for path in folder.rglob("*") if path.is_file()] == []
    finally:
        for process in processes:
            process.destroy()


@contextlib.contextmanager
def fleet_on_s3(folder: Path, redis_url: str) -> Iterator[Fleet]:
    """A fleet whose objects are in a bucket."""
    with s3_server(folder / "s3") as s3:

        class OnS3(Fleet):
            def stored(self, prefix: str) -> list[StoredObject]:
                return list(s3.objects(prefix))

        machines = folder / "machines"
        machines.mkdir()
        with _running(machines, redis_url, s3.settings, OnS3) as fleet:
            yield fleet


@contextlib.contextmanager
def fleet_on_redis(folder: Path, redis_url: str) -> Iterator[Fleet]:
    """A fleet that has nothing but a Redis."""
    storage = Blocking(RedisStorage(redis_url, max_age_seconds=24 * 3600))

    class OnRedis(Fleet):
        def stored(self, prefix: str) -> list[StoredObject]:
            return [InRedis(storage, key) for key in storage.keys(prefix)]

    shared = {"TINYIMAGE_STORAGE__URL": "redis://", "TINYIMAGE_STORAGE__REDIS_LIMIT": "2GB"}
    with _running(folder, redis_url, shared, OnRedis) as fleet:
        yield fleet

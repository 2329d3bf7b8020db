"""The web by itself, with the settings a test wants: pictures it takes stay queued."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import psutil
import redis

from app.core.jobs.events import Step, publish
from bench.launch import free_port
from tests import rq_keys
from tests.pictures import md5, snapshot
from tests.service import Client, Process, environment, until


class Web(Process):
    """`python -m app web`."""

    module: ClassVar[str] = "app"

    def __init__(self, folder: Path, redis_url: str, **settings: Any) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.ws_url = f"ws://127.0.0.1:{self.port}/ws"
        super().__init__(
            [self.module, "web"], environment(folder, self.port, REDIS__URL=redis_url, **settings)
        )
        self.client = Client(self.url)

    def ready(self) -> Web:
        def healthy() -> bool:
            try:
                return self.client.http.get("/healthz").status_code == 200
            except Exception:
                assert self.running, "".join(self.log)
                return False

        until(healthy, what="the web answers")
        return self

    def connection(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in list(self.log)]

    def access(self, **wanted: object) -> list[dict[str, Any]]:
        """The lines of the access log that have these fields."""
        return [
            line
            for line in self.lines()
            if line["logger"] == "app.access"
            and all(line.get(name) == value for name, value in wanted.items())
        ]

    def troubles(self) -> list[dict[str, Any]]:
        """The lines that say something went wrong on the server."""
        return [
            line
            for line in self.lines()
            if line["level"] in ("error", "critical") or "Traceback" in str(line)
        ]

    def process(self) -> psutil.Process:
        return psutil.Process(self.pid)

    def memory(self) -> int:
        """Its resident bytes."""
        return int(self.process().memory_info().rss)


@contextlib.contextmanager
def web(folder: Path, redis_url: str, **settings: Any) -> Iterator[Web]:
    """The web, ready."""
    running = Web(folder, redis_url, **settings)
    try:
        yield running.ready()
    finally:
        running.client.http.close()
        running.terminate()


def send(client: Client) -> str:
    """Send a picture, which waits. Returns its MD5."""
    data = snapshot()
    assert client.upload(data).status_code == 202
    return md5(data)


def fail(connection: redis.Redis, picture: str, format: str = "webp-0") -> None:
    """End a job as a worker ends one that has failed."""
    with connection.pipeline() as pipe:
        pipe.hset(rq_keys.job(f"{picture}-{format}"), "status", "failed")
        publish(pipe, f"{picture}-{format}", Step.FAILED)
        pipe.execute()


def answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """The status, the headers and the body of the answer that comes; 0 if the connection ends."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = connection.recv(65536)
        if not data:
            return 0, {}, received
        received += data
    head, _, body = received.partition(b"\r\n\r\n")
    first, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        data = connection.recv(65536)
        if not data:
            break
        body += data
    return int(first.split()[1]), headers, body


def ended(connection: socket.socket) -> bool:
    """Wait for the other side to close the connection."""
    with contextlib.suppress(ConnectionError):
        while connection.recv(65536):
            pass
    return True


def missing(running: Web) -> dict[str, str]:
    """What /readyz says is missing; {} if it is ready."""
    response = running.client.http.get("/readyz")
    if response.status_code == 200:
        assert response.json() == {"status": "ok"}
        return {}
    assert response.status_code == 503
    answer = response.json()
    assert answer["error"] == "not_ready"
    assert all(part in answer["message"] for part in answer["missing"])
    return dict(answer["missing"])

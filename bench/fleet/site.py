"""The processes of a fleet on this machine: a Redis, web processes, workers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

import psutil
from rq import Worker

from app.core.redis.client import connect
from app.core.storage.files import FileStorage
from app.process.parent import PARENT_VARIABLE
from app.run.embedded import EmbeddedRedis, EmbeddedRedisError
from bench.errors import BenchError
from bench.launch import HOST, ROOT, environment, free_port
from bench.queue import PictureQueue

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.02

MAX_AGE_SECONDS = 24 * 3600.0
"""The default of `upload.max_age`."""

CONVERSION_TIMEOUT = 60
"""The default of `limits.conversion_timeout`."""

STAND_IN = "bench.fleet.standin"
"""Workers whose conversions only take time."""

SECONDS_VARIABLE = "BENCH_CONVERSION_SECONDS"
"""How much of it."""


@dataclass(frozen=True, slots=True)
class Web:
    """A web process."""

    port: int
    pid: int

    def answers(self) -> bool:
        """Whether it is up."""
        # A proxy that the environment names does not know this machine's own address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{HOST}:{self.port}/healthz", timeout=5):
                return True
        except OSError:
            return False


@contextlib.contextmanager
def held(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Stop the processes meanwhile."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


class Site:
    """A Redis and a folder that all processes of it share. Leaving it ends them."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: for all it writes; it is made.
        """
        folder.mkdir()
        self.folder = folder
        self._redis = EmbeddedRedis(folder / "redis")
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._redis.lock()
            self._redis.start()
        except EmbeddedRedisError as error:
            self._redis.stop(STOP_SECONDS)
            raise BenchError(str(error)) from None
        self.connection = connect(self._redis.url)
        self.queue = PictureQueue(
            self.connection,
            max_age_seconds=MAX_AGE_SECONDS,
            conversion_timeout=CONVERSION_TIMEOUT,
        )
        self.storage = FileStorage(self.folder / "output")
        return self

    def __exit__(self, *error: object) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # its own processes end with it
                process.wait()
        self.connection.close()
        self._redis.stop(STOP_SECONDS)

    @property
    def url(self) -> str:
        """Where its Redis is."""
        return self._redis.url

    def put(self, key: str, data: bytes) -> None:
        """Keep an object in its storage."""
        asyncio.run(self.storage.put(key, data))

    def get(self, key: str) -> bytes:
        """An object of its storage."""
        return asyncio.run(self.storage.get(key))

    def web(self, **settings: object) -> Web:
        """A web process that answers."""
        port = free_port()
        process = self._start(["app", "web"], port, {}, **settings)
        web = Web(port, process.pid)
        self._wait(process, web.answers, "the web")
        return web

    def workers(
        self, count: int, module: str = "workers", **variables: str
    ) -> list[psutil.Process]:
        """A pool of workers that wait for jobs. Returns the processes of the workers.

        Args:
            module: what is started; `STAND_IN` converts nothing.
            variables: for the environment.
        """
        before = self._worker_pids()
        process = self._start([module], None, variables, UPLOAD__MAX_CONCURRENT_TASKS=count)

        def born() -> bool:
            return len(self._worker_pids() - before) >= count

        self._wait(process, born, "the workers")
        ours = {child.pid for child in psutil.Process(process.pid).children()}
        return [psutil.Process(pid) for pid in sorted(self._worker_pids() & ours)]

    def process(self, command: list[str]) -> None:
        """Start another program; it ends with the site."""
        self._processes.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(self.folder, REDIS__URL=self.url),
                stdin=subprocess.DEVNULL,
                stdout=self._log("other"),
                stderr=subprocess.STDOUT,
            )
        )

    def used_memory(self) -> int:
        """Bytes that Redis holds."""
        return int(self.connection.info("memory")["used_memory"])

    def _worker_pids(self) -> set[int]:
        return {
            worker.pid
            for worker in Worker.all(connection=self.connection)
            if worker.pid is not None
        }

    def _start(
        self,
        arguments: list[str],
        port: int | None,
        variables: dict[str, str],
        **settings: object,
    ) -> subprocess.Popen[bytes]:
        config = self.folder / "config.yaml"
        config.write_text("{}\n")
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments, "--config", str(config)],
            cwd=ROOT,
            env=environment(self.folder, port, REDIS__URL=self.url, **settings)
            | {PARENT_VARIABLE: str(os.getpid())}
            | variables,
            stdin=subprocess.DEVNULL,
            stdout=self._log(arguments[0]),
            stderr=subprocess.STDOUT,
        )
        self._processes.append(process)
        return process

    def _log(self, name: str) -> IO[bytes]:
        return (self.folder / f"{name}.log").open("ab")

    def _wait(
        self, process: subprocess.Popen[bytes], condition: Callable[[], bool], what: str
    ) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline:
                lines = [
                    line
                    for log in sorted(self.folder.glob("*.log"))
                    for line in log.read_text("utf-8", "replace").splitlines()
                ]
                raise BenchError(f"{what} did not start: {' | '.join(lines[-3:])}")
            time.sleep(POLL_SECONDS)

"""The real thing for the tests: servers, workers and Redis as processes of their own."""

from __future__ import annotations

import contextlib
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import httpx
import psutil

from bench import launch
from bench.launch import READY_LINE, ROOT, free_port
from tests.forking import FORKS, MODULES, Forked

T = TypeVar("T")

ONE_WORKER = {"UPLOAD__MAX_CONCURRENT_TASKS": 1}
"""Settings of the processes of a test that asks for no others: each decoder more takes half a
second of CPU to start."""

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of clients that speak to a server without TLS: reading the certificates of the machine takes each
of them 24 ms of CPU."""


def until(condition: Callable[[], T | None], seconds: float = 30.0, what: str = "") -> T:
    """The first truthy value of `condition`, asked again and again: less often the longer it takes,
    as a question may cost some milliseconds of CPU here and there."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(pause)
        pause = min(1.2 * pause, 0.25)


def command(process: psutil.Process) -> str:
    """Its command line; "" if it has just ended."""
    try:
        return " ".join(process.cmdline()).strip()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def is_redis(process: psutil.Process) -> bool:
    """Whether this is an embedded Redis that is up: it names its socket from then on."""
    line = command(process)
    return "-server unixsocket" in line and ("valkey" in line or "redis" in line)


def is_decoder(process: psutil.Process) -> bool:
    """Whether this is a decoder of a worker that is up: it ignores SIGTERM from then on."""
    if "-m imaging.decoder" not in command(process):
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        # A decoder forks to ask other programs for the C library; until they run they look like it.
        parent = process.parent()
        if parent is not None and "-m imaging.decoder" in command(parent):
            return False
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        status = Path(f"/proc/{process.pid}/status").read_text()
        ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
        return bool(int(ignored.split()[1], 16) >> (signal.SIGTERM - 1) & 1)
    return False


@contextlib.contextmanager
def suspended(processes: Iterable[psutil.Process]) -> Iterator[None]:
    """Stop processes, and let them go on at the end, however a test ends."""
    stopped = list(processes)
    for process in stopped:
        process.suspend()
    try:
        yield
    finally:
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


def environment(folder: Path, port: int | None = None, **settings: object) -> dict[str, str]:
    """That of `bench.launch`, with one worker where the settings say nothing else."""
    return launch.environment(folder, port, **{**ONE_WORKER, **settings})


def sleeps(process: psutil.Process) -> bool:
    """Whether it waits for something."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_SLEEPING)
    return False


class Family(Protocol):
    """Processes that a test has started."""

    def family(self) -> list[psutil.Process]:
        """They and all below them."""
        ...

    def freeze(self, count: int) -> list[psutil.Process]:
        """Stop the decoders: a picture sent now is in hand until they are resumed or killed.

        Args:
            count: how many there are to be.
        """

        def decoders() -> list[psutil.Process] | None:
            found = [p for p in self.family() if is_decoder(p)]
            # One that is about to say that it is ready runs; stopped then, it would never say so.
            waiting = [p for p in found if sleeps(p)]
            return waiting if len(found) == len(waiting) == count else None

        frozen = until(decoders, what=f"{count} decoders") or []
        for decoder in frozen:
            decoder.suspend()
        return frozen


class Process(Family):
    """A process of ours; what it logs is kept."""

    forked: ClassVar[bool] = hasattr(os, "pidfd_open")
    """Whether it may be forked from one that has imported what it needs, in place of being started
    as a user starts it."""

    def __init__(
        self,
        arguments: list[str],
        env: dict[str, str],
        code: Path = ROOT,
        cwd: Path | None = None,
    ) -> None:
        """
        Args:
            code: where its modules are.
            cwd: the folder it is in, if that is another one.
        """
        self.log: list[str] = []
        if cwd is not None:
            env = env | {"PYTHONPATH": str(code)}
        if self.forked and code == ROOT and arguments[0] in MODULES:
            self._popen: subprocess.Popen[str] | Forked = FORKS.start(arguments, env, cwd or code)
        else:
            self._popen = self._started(arguments, env, cwd or code)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @staticmethod
    def _started(arguments: list[str], env: dict[str, str], cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def family(self) -> list[psutil.Process]:
        """This process and all below it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self.pid)
            return [process, *process.children(recursive=True)]
        return []

    def wait_for(self, text: str, seconds: float = 60.0) -> str:
        """The first logged line that has `text` in it."""

        def found() -> str | None:
            line = next((line for line in self.log if text in line), None)
            assert line or self.running, f"ended without {text!r}:\n{''.join(self.log)}"
            return line

        return str(until(found, seconds, f"{text!r} in the log:\n{''.join(self.log)}"))

    def send_signal(self, sig: signal.Signals) -> None:
        self._popen.send_signal(sig)

    def terminate(self, sig: signal.Signals = signal.SIGTERM, seconds: float = 30.0) -> int:
        """End it with a signal. Returns its status."""
        if self.running:
            self._popen.send_signal(sig)
        status = self._popen.wait(seconds)
        self._reader.join(5)
        return status

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for its own end. Returns its status."""
        status = self._popen.wait(seconds)
        self._reader.join(5)
        return status

    def destroy(self) -> None:
        """End it and all below it, however it stands."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._popen.wait(10)

    def _read(self) -> None:
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            self.log.append(line)


class Service(Process):
    """`python -m app`, ready."""

    def __init__(
        self, folder: Path, port: int | None = None, *, code: Path = ROOT, **settings: Any
    ) -> None:
        """
        Args:
            folder: of its data.
            code: where `app` is.
        """
        self.port = port or free_port()
        self.folder = folder
        super().__init__(["app"], environment(folder, self.port, **settings), code)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def redis_url(self) -> str:
        """The embedded Redis."""
        return f"unix://{self.folder / 'data' / 'redis.sock'}"

    def ready(self) -> Service:
        self.wait_for(READY_LINE)
        return self

    def client(self) -> Client:
        return Client(self.url)

    def stored(self, prefix: str) -> list[Path]:
        """The files in storage below originals or results."""
        return [path for path in (self.folder / "output" / prefix).rglob("*") if path.is_file()]


@contextlib.contextmanager
def service(folder: Path, **settings: Any) -> Iterator[Service]:
    """A server with everything in one."""
    server = Service(folder, **settings)
    try:
        yield server.ready()
    finally:
        server.terminate()


class Client:
    """What a program does with the HTTP API."""

    def __init__(self, url: str, *, keep_alive: bool = True) -> None:
        limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
        self.http = httpx.Client(base_url=url, timeout=60, limits=limits, verify=NO_TLS)

    def answers(self) -> bool:
        """Whether the server is there."""
        try:
            return self.http.get("/").status_code == 200
        except httpx.TransportError:
            return False

    def upload(
        self, data: bytes, format: str | None = None, *, filename: str = "cat.jpg", **fields: str
    ) -> httpx.Response:
        form = dict(fields) if format is None else {"format": format, **fields}
        return self.http.post("/upload", files={"picture": (filename, data)}, data=form)

    def status(self, md5: str) -> list[dict[str, Any]]:
        """The picture's jobs; [] if it is unknown."""
        response = self.http.get(f"/status/{md5}")
        if response.status_code == 404:
            return []
        assert response.status_code == 200, response.text
        return list(response.json())

    def wait(self, md5: str, seconds: float = 60.0) -> list[dict[str, Any]]:
        """The picture's jobs, once all have ended."""

        def ended() -> list[dict[str, Any]] | None:
            jobs = self.status(md5)
            return jobs if jobs and all(j["status"] in ("done", "failed") for j in jobs) else None

        return until(ended, seconds, f"all jobs of {md5} ended") or []

    def download(self, md5: str, **query: object) -> httpx.Response:
        return self.http.get(f"/download/{md5}", params={k: str(v) for k, v in query.items()})

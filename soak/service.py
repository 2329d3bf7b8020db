"""The service under test: everything in one, in a folder of its own, and its processes by role."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import psutil
import redis
from rq.job import Job

from bench.launch import READY_LINE, free_port, start

READY_SECONDS = 90.0

SETTINGS: dict[str, object] = {
    "SERVER__PROCESSES": 2,
    "UPLOAD__MAX_CONCURRENT_TASKS": 3,
    "CLEANUP__INTERVAL": 5,
    "ENGINE__EFFORT": "fast",
}

STOP_SECONDS = 25.0
"""How long all may take to end after a SIGTERM."""

GONE_SECONDS = 20.0
"""How long all may take to end when their parent was killed."""


class SoakError(Exception):
    """The service did what it must not, so that the soak cannot go on."""


class Role(StrEnum):
    """A process of the service."""

    PARENT = "parent"  # the supervisor
    WEB = "web"  # the web, its parent or one of several
    WORKER = "worker"  # one RQ worker; that of the maintenance has rq-scheduler, too
    DECODER = "decoder"  # of a worker
    REDIS = "redis"  # the embedded Redis


class Service:
    """`python -m app`, which can be ended and started again in the same folder."""

    def __init__(self, folder: Path, settings: Mapping[str, object]) -> None:
        """
        Args:
            folder: an empty one for the service's own.
            settings: beside `SETTINGS`.
        """
        self._settings = {**SETTINGS, **settings}
        self.port = free_port()
        self._folder = folder
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All it has said."""
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            SoakError: if it does not get ready.
        """
        begun = len(self.log)
        with self._log.open("ab") as log:
            self._process = start(self._folder, self.port, log, **self._settings)
        deadline = time.monotonic() + READY_SECONDS
        while READY_LINE not in self.log[begun:]:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SoakError(f"the service did not start:\n{self.log[begun:][-2000:]}")
            time.sleep(0.05)

    def terminate(self) -> None:
        """End it with SIGTERM.

        Raises:
            SoakError: if it takes too long, or something of it goes on.
        """
        if self._process is None or self._process.poll() is not None:
            return
        family = self._family()
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise SoakError(f"the service did not end within {STOP_SECONDS:g} s") from None
        self._all_gone(family)

    def kill_parent(self) -> None:
        """End its first process with SIGKILL; all others are to end with it.

        Raises:
            SoakError: if they do not.
        """
        assert self._process is not None
        family = self._family()
        self._process.kill()
        self._process.wait()
        self._all_gone(family)

    def destroy(self) -> None:
        """End all of it, however it stands."""
        if self._process is None:
            return
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.kill()
        self._process.wait()

    def processes(self, role: Role) -> list[psutil.Process]:
        """Those that run as `role` now."""
        found = []
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if self._role(process) is role:
                    found.append(process)
        return found

    def results(self) -> list[str]:
        """The names of all results; what a killed writer has left is none."""
        folder = self._folder / "output" / "results"
        return [path.name for path in folder.rglob("*") if path.is_file() and "#" not in path.name]

    def reason(self, job_id: str) -> str | None:
        """Why the job failed; None if no reason is given."""
        url = f"unix://{self._folder / 'data' / 'redis.sock'}"
        with contextlib.closing(redis.Redis.from_url(url)) as connection:
            meta = connection.hget(Job.key_for(job_id), "meta")
        return json.loads(meta).get("error") if meta else None

    def _role(self, process: psutil.Process) -> Role | None:
        assert self._process is not None
        line = " ".join(process.cmdline()).strip()
        if process.pid == self._process.pid:
            return Role.PARENT
        if "-m imaging.decoder" in line:
            return Role.DECODER
        if line.endswith("-m app web") or "-m app web: " in line:
            return Role.WEB
        if "-m workers: " in line:
            return Role.WORKER
        return Role.REDIS if "redis-server" in line or "valkey-server" in line else None

    def _family(self) -> list[psutil.Process]:
        assert self._process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        return []

    def _all_gone(self, family: list[psutil.Process]) -> None:
        _, left = psutil.wait_procs(family, timeout=GONE_SECONDS)
        for process in left:
            process.kill()
        if left:
            raise SoakError(f"{len(left)} processes did not end with their parent: {left}")

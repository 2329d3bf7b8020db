"""A real server, everything in one, in a folder of its own."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Self

from bench.errors import BenchError
from bench.launch import READY_LINE, ROOT, free_port, start_in

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


class Server:
    """`python -m app` with a free port, an empty storage and an empty Redis."""

    def __init__(self, folder: Path, workers: int, root: Path = ROOT, **settings: object) -> None:
        """
        Args:
            folder: an empty one for the server's own.
            workers: pictures converted at once.
            root: of the clone, as `start_in` takes it.
            settings: more of them, such as `UPLOAD__MAX_AGE=2`.
        """
        self.port = free_port()
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            given = {
                "UPLOAD__MAX_CONCURRENT_TASKS": workers,
                "UPLOAD__MAX_UPLOAD_SIZE": "50MB",
                **settings,
            }
            self._process = start_in(root, folder, self.port, log, given)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        """Wait until the server is ready.

        Raises:
            BenchError: if it ends instead, or takes too long.
        """
        deadline = time.monotonic() + READY_SECONDS
        try:
            while READY_LINE not in self._log.read_text("utf-8", "replace"):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise BenchError(f"the server did not start: {self.last_line()}")
                time.sleep(POLL_SECONDS)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def last_line(self) -> str:
        """The last thing the server said."""
        lines = self._log.read_text("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "nothing")

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its own processes end with it
            self._process.wait()

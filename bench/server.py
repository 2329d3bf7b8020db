"""A real server, everything in one, in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.core.lifeline import PARENT_VARIABLE
from app.core.settings import PLATFORM_VARIABLES
from bench.errors import BenchError

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
READY_LINE = "TinyImage Server is ready at"
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05


class Server:
    """`python -m app` with a free port, an empty storage and an empty Redis."""

    def __init__(self, folder: Path, workers: int) -> None:
        """
        Args:
            folder: an empty one for the server's own.
            workers: pictures converted at once.
        """
        self.port = _free_port()
        self._log = folder / "server.log"
        config = folder / "config.yaml"
        config.write_text("{}\n")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "--config", str(config)],
                cwd=ROOT,
                env=_environment(folder, self.port, workers),
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
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

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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


def _environment(folder: Path, port: int, workers: int) -> dict[str, str]:
    """Our environment without what would point the server anywhere else."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TINYIMAGE_") and name not in PLATFORM_VARIABLES
    }
    return inherited | {
        "TINYIMAGE_SERVER__HOST": HOST,
        "TINYIMAGE_SERVER__PORT": str(port),
        "TINYIMAGE_SERVER__OUTPUT_DIR": str(folder / "output"),
        "TINYIMAGE_REDIS__DATA_DIR": str(folder / "data"),
        "TINYIMAGE_UPLOAD__MAX_CONCURRENT_TASKS": str(workers),
        "TINYIMAGE_UPLOAD__MAX_UPLOAD_SIZE": "50MB",
        PARENT_VARIABLE: str(os.getpid()),  # it ends with us, however we end
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])

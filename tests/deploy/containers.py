"""Containers without an engine: the commands of the deployment, each in a folder like its image."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from app.core.embedded import find_binary

BIN = Path(sys.executable).parent
"""Where the commands of this environment are, as /venv/bin is in the image."""

_PROGRAMS: dict[str, Callable[[], str]] = {
    "python": lambda: sys.executable,
    "redis-server": lambda: find_binary().path,
}


def command_of(arguments: Sequence[str]) -> list[str]:
    """The same command with the program that stands here for the one in the image."""
    return [_PROGRAMS[arguments[0]](), *arguments[1:]]


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """`values`, and as little of our own environment as an image has: no setting slips in."""
    return {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "LANG": "C.UTF-8",
        "TMPDIR": tempfile.gettempdir(),
        "PYTHONUNBUFFERED": "1",
        **values,
    }


class Container:
    """A process with a working directory and an environment of its own, ended when left."""

    def __init__(self, arguments: Sequence[str], folder: Path, values: Mapping[str, str]) -> None:
        """
        Args:
            arguments: the command, as the deployment names it.
            folder: the working directory.
            values: the environment, beside what every image has.
        """
        self.folder = folder
        self.values = dict(values)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when left
        self._process = subprocess.Popen(
            command_of(arguments),
            cwd=folder,
            env=environment(values),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C of the tests is not theirs
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            print(self.log)  # pytest shows it with the test that failed
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(10)
        self._log.close()

    @property
    def log(self) -> str:
        """What it has printed."""
        size = os.fstat(self._log.fileno()).st_size
        # Not through the file's own position: that is the process's too.
        return os.pread(self._log.fileno(), size, 0).decode()

    def family(self) -> list[psutil.Process]:
        """This process and all below it; [] once it has ended."""
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._process.pid)
            return [process, *process.children(recursive=True)]
        return []

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def request_stop(self) -> None:
        """Tell it to end, as a platform does."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Wait for its end. Returns its status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"has not ended in {seconds} s:\n{self.log}") from None

    def passes(self, check: Sequence[str]) -> bool:
        """Whether a health check of the deployment passes in here."""
        return passes(check, self.folder, self.values)


def passes(check: Sequence[str], folder: Path, values: Mapping[str, str]) -> bool:
    """Whether a health check, `["CMD", …]` or `["CMD-SHELL", line]`, passes.

    Args:
        folder: the working directory.
        values: the environment, beside what every image has.
    """
    kind, *arguments = check
    command = ["/bin/sh", "-c", *arguments] if kind == "CMD-SHELL" else command_of(arguments)
    result = subprocess.run(
        command, cwd=folder, env=environment(values), capture_output=True, timeout=30, check=False
    )
    return result.returncode == 0

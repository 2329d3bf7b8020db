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
import pytest

from app.run.redis_binary import find_binaries
from bench.launch import ROOT
from tests.deploy import rootfs
from tests.deploy.rootfs import Rootfs

BIN = Path(sys.executable).parent
"""Where the commands of this environment are, as /venv/bin is in the image."""

_PROGRAMS: dict[str, Callable[[], str]] = {
    "python": lambda: sys.executable,
    "redis-server": lambda: next(find_binaries()).path,
    "sh": lambda: "/bin/sh",
    "/app/entrypoint.sh": lambda: str(ROOT / "entrypoint.sh"),
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


def image_environment(values: Mapping[str, str]) -> dict[str, str]:
    """`values`, and what the image sets."""
    return {
        "PATH": "/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/app",
        "PYTHONUNBUFFERED": "1",
        **values,
    }


def in_rootfs() -> bool:
    """Whether containers of the image get a root file system of their own. Without one they run
    in their folder alone, which only others than root can: the image gives root up, and the Python
    of the tests with it. Skips the test then."""
    if not rootfs.available() and os.getuid() == 0:
        pytest.skip("root, and no mount namespace to be had: the image cannot be run")
    return rootfs.available()


class Container:
    """A process with a working directory and an environment of its own, ended when left."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        values: Mapping[str, str],
        root: Rootfs | None = None,
    ) -> None:
        """
        Args:
            arguments: the command, as the deployment names it.
            folder: the working directory.
            values: the environment, beside what every image has.
            root: the file system and the rights it has, where there can be such; None if it needs
                none.
        """
        self.folder = folder
        self.values = dict(values)
        self._root = root if root is not None and in_rootfs() else None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when left
        self._tmp = tempfile.TemporaryDirectory(prefix="tinyimage-tmp-")
        if self._root is not None:
            command, env = self._root.command(arguments, folder, image_environment(values))
        else:
            command, env = command_of(arguments), self._plain_environment()
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
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
        self._tmp.cleanup()

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

    @property
    def main(self) -> psutil.Process:
        """What runs in it first."""
        process = psutil.Process(self._process.pid)
        if self._root is not None and self._root.own_pids:
            return process.children()[0]
        return process

    def request_stop(self) -> None:
        """Tell it to end, as a platform does."""
        self.main.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        """Wait for its end. Returns its status."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"has not ended in {seconds} s:\n{self.log}") from None

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run another command in here: `docker exec`."""
        if self._root is not None:
            values = image_environment(self.values)
            command = self._root.command_beside(self.main.pid, arguments, values)
            env = dict(os.environ)
        else:
            command, env = command_of(arguments), self._plain_environment()
        return _run(command, self.folder, env)

    def passes(self, check: Sequence[str]) -> bool:
        """Whether a health check of the deployment passes in here."""
        return self.run(check_command(check)).returncode == 0

    def _plain_environment(self) -> dict[str, str]:
        return environment({"TMPDIR": self._tmp.name, **self.values})


def check_command(check: Sequence[str]) -> list[str]:
    """The command of a health check, `["CMD", …]` or `["CMD-SHELL", line]`."""
    kind, *arguments = check
    return ["sh", "-c", *arguments] if kind == "CMD-SHELL" else arguments


def run_alone(
    arguments: Sequence[str], folder: Path, values: Mapping[str, str], root: Rootfs | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command in a container of its own, to its end.

    Args:
        folder: the working directory.
        values: the environment, beside what every image has.
        root: as for a container.
    """
    if root is not None and in_rootfs():
        command, env = root.command(arguments, folder, image_environment(values))
    else:
        command, env = command_of(arguments), environment(values)
    return _run(command, folder, env)


def _run(
    command: list[str], folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

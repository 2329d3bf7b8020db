"""Processes that are forked from one and kept running."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.process.keeper import RESTART_SECONDS
from tests.kept import SHARED
from tests.service import Process, command, environment, until


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Process]:
    process = Process(["tests.kept", str(tmp_path)], environment(tmp_path))
    try:
        yield process
    finally:
        process.destroy()


def _named(kept: Process, name: str) -> psutil.Process:
    """The process that `ps` tells apart by this name."""

    def found() -> psutil.Process | None:
        family = kept.family()
        return next((p for p in family if command(p).endswith(f"-m tests.kept: {name}")), None)

    process = until(found, what=f"the process {name}")
    assert process is not None
    return process


def test_a_process_has_open_what_it_is_given_and_nothing_else(
    kept: Process, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        files = [file.path for file in _named(kept, name).open_files()]
        assert files == [str(tmp_path / SHARED)]


def test_a_process_that_is_killed_is_started_again_alone(kept: Process) -> None:
    killed, other = _named(kept, "one"), _named(kept, "two")
    killed.kill()
    kept.wait_for("the one process ended with status -9; starting it again")
    assert _named(kept, "one").pid != killed.pid
    assert _named(kept, "two") == other


def test_a_file_that_the_parent_closes_meanwhile_ends_no_process_that_is_started_again(
    kept: Process, tmp_path: Path
) -> None:
    killed = _named(kept, "one")
    killed.kill()
    kept.wait_for("the one process ended with status -9; starting it again")
    again = _named(kept, "one")
    assert [file.path for file in again.open_files()] == [str(tmp_path / SHARED)]
    assert not any("ended with status 1" in line for line in kept.log)


def test_a_process_that_is_stopped_alone_is_started_again(kept: Process) -> None:
    stopped = _named(kept, "one")
    stopped.terminate()
    kept.wait_for("the one process ended with status -15; starting it again")
    assert _named(kept, "one").pid != stopped.pid


def test_processes_that_are_stopped_before_their_parent_are_not_started_again(
    tmp_path: Path,
) -> None:
    """As when a platform signals every process at a stop, in any order."""
    kept = Process(["tests.kept", str(tmp_path), "60"], environment(tmp_path))
    try:
        processes = [_named(kept, name) for name in ("one", "two")]
        time.sleep(RESTART_SECONDS)  # from then on nothing else would delay a start
        for process in processes:
            process.terminate()
        seen = [process.pid for process in processes]  # by their parent, once they are gone
        until(lambda: not any(psutil.pid_exists(pid) for pid in seen), what="both have ended")
        assert kept.terminate() == 0
        assert kept.log == []
    finally:
        kept.destroy()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_their_parent(kept: Process, sig: signal.Signals) -> None:
    processes = [_named(kept, name) for name in ("one", "two")]
    status = kept.terminate(sig)
    assert status == (0 if sig is signal.SIGTERM else -signal.SIGKILL)
    until(lambda: not any(p.is_running() and command(p) for p in processes), what="all have ended")

"""Asynchronous calls of a process that blocks, and RQ's time-out in the middle of them."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty

from app.core.storage import files
from app.core.storage.files import FileStorage
from app.process.bridge import Bridge

pytestmark = pytest.mark.timeout(60, method="thread")  # the other one wants the signal for itself

SOON = 0.05


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    with closing(Bridge()) as bridge:
        yield bridge


def _timed_out(
    bridge: Bridge,
    call: Coroutine[Any, Any, Any],
    seconds: float = SOON,
    run: Callable[[Bridge, Coroutine[Any, Any, Any]], Any] = Bridge.run,
) -> None:
    """Run the call as a job that may take so long."""
    with UnixSignalDeathPenalty(60, JobTimeoutException):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        run(bridge, call)


def test_what_is_for_a_thread_runs_in_the_one_that_asks(bridge: Bridge) -> None:
    async def where() -> int:
        return await asyncio.to_thread(threading.get_ident)

    assert bridge.run(where()) == threading.get_ident()


def test_an_error_of_a_call_is_raised_and_the_next_call_runs(bridge: Bridge) -> None:
    async def fail() -> None:
        await asyncio.to_thread(int, "x")

    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            bridge.run(fail())
    bridge.run(asyncio.sleep(0))


def test_a_call_that_waits_is_cancelled_by_the_time_out_of_its_job(bridge: Bridge) -> None:
    cleaned = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)  # as a storage in Redis takes back what it has begun
            cleaned.append(True)

    for _ in range(2):
        with pytest.raises(JobTimeoutException):
            _timed_out(bridge, wait())
    assert cleaned == [True, True]
    bridge.run(asyncio.sleep(0))


def test_a_time_out_is_not_lost_in_a_callback_of_the_loop(bridge: Bridge) -> None:
    """Where asyncio logs any error and goes on."""

    async def wait() -> None:
        asyncio.get_running_loop().call_soon(time.sleep, 4 * SOON)
        await asyncio.sleep(60)

    with pytest.raises(JobTimeoutException):
        _timed_out(bridge, wait())


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")  # it came before the call
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # or in a callback
def test_a_time_out_at_any_moment_is_raised_once_and_leaves_a_loop_that_works(
    bridge: Bridge,
) -> None:
    async def turn() -> None:
        for _ in range(30):
            await asyncio.sleep(0)
            await asyncio.to_thread(int)

    def took() -> float:
        began = time.perf_counter()
        bridge.run(turn())
        return time.perf_counter() - began

    usual = min(took() for _ in range(5))  # else one slow turn would have all others end in time
    raised = 0
    for number in range(1, 200):
        try:
            _timed_out(bridge, turn(), usual * number / 150)
        except JobTimeoutException:
            raised += 1
        assert "_Alarm" not in repr(signal.getsignal(signal.SIGALRM))
        bridge.run(turn())
    assert raised > 20  # one in a callback of the garbage collector is lost, as in any code


def test_a_call_that_is_interrupted_does_not_go_on_with_the_next(bridge: Bridge) -> None:
    went_on = []

    async def wait() -> None:
        await asyncio.sleep(4 * SOON)
        went_on.append(True)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer = threading.Timer(SOON, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            bridge.run(wait())
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)
    bridge.run(asyncio.sleep(6 * SOON))
    assert went_on == []


def test_a_handler_that_raises_nothing_runs_and_the_call_goes_on(bridge: Bridge) -> None:
    seen = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, SOON)
        bridge.run(asyncio.sleep(2 * SOON))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]


def test_a_call_without_waits_needs_no_turn_of_the_loop(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def where() -> int:
        return await asyncio.to_thread(threading.get_ident)

    async def fail() -> None:
        await asyncio.to_thread(int, "x")

    with monkeypatch.context() as patched:
        patched.setattr(bridge._loop, "_run_once", None)
        assert bridge.run_at_once(where()) == threading.get_ident()
        with pytest.raises(ValueError, match="invalid literal"):
            bridge.run_at_once(fail())
        with pytest.raises(RuntimeError, match="waits for more"):
            bridge.run_at_once(asyncio.sleep(0))
    assert bridge.run(where()) == threading.get_ident()


@pytest.mark.parametrize("run", [Bridge.run, Bridge.run_at_once])
def test_a_write_that_is_timed_out_leaves_nothing(
    bridge: Bridge,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    run: Callable[[Bridge, Coroutine[Any, Any, Any]], Any],
) -> None:
    storage = FileStorage(tmp_path)
    written = []

    def slowly(target: int, data: bytes) -> None:
        written.append(len(data))
        signal.setitimer(signal.ITIMER_REAL, SOON)
        time.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(files, "_write_all", slowly)
        with pytest.raises(JobTimeoutException):
            _timed_out(bridge, storage.put("results/first/one", b"picture"), 60, run)
    assert written == [7]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    bridge.run(storage.put("results/first/one", b"picture"))
    assert bridge.run(storage.get("results/first/one")) == b"picture"

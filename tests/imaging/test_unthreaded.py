"""Calls in the thread that can start no other."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from imaging.formats.png.unthreaded import Unthreaded

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")


def _double(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} is below 0")
    return 2 * number


def test_a_call_returns_and_raises_what_its_function_does() -> None:
    calls = Unthreaded()
    assert calls.call(lambda: _double(2)) == 4
    with pytest.raises(ValueError, match="-1 is below 0"):
        calls.call(lambda: _double(-1))
    assert calls.call(lambda: _double(3)) == 6


def test_all_calls_are_made_in_one_thread() -> None:
    calls = Unthreaded()
    first = calls.call(threading.get_ident)
    assert calls.call(threading.get_ident) == first
    assert first != threading.get_ident()


@linux
def test_only_the_calling_thread_can_start_another() -> None:
    calls = Unthreaded()
    with pytest.raises(RuntimeError, match="start new thread"):
        calls.call(lambda: threading.Thread(target=print).start())
    other = threading.Thread(target=lambda: None)
    other.start()
    other.join()
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0

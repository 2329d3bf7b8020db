"""A measurement ends at SIGTERM, wherever it is then."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator

import pytest

import bench.__main__ as command


@pytest.fixture
def _signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGALRM)}
    hook = sys.unraisablehook
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    sys.unraisablehook = hook
    for number, handler in kept.items():
        signal.signal(number, handler)


class _Deleted:
    """What C deletes as the signal comes."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("swallowed", [False, True])
def test_a_measurement_ends_though_its_stop_was_swallowed(
    monkeypatch: pytest.MonkeyPatch, swallowed: bool
) -> None:
    class Measurement:
        @staticmethod
        def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
            commands.add_parser("endless").set_defaults(run=Measurement.run)

        @staticmethod
        def run(arguments: argparse.Namespace) -> None:
            if swallowed:
                _Deleted()
            else:
                signal.raise_signal(signal.SIGTERM)
            signal.sigtimedwait((signal.SIGUSR2,), 30)
            pytest.fail("it went on")

    monkeypatch.setattr(command, "MEASUREMENTS", (Measurement,))
    assert command.main(["endless"]) == 130

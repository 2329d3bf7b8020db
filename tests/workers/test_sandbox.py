"""The warm child: what it may see, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from app.core.conversion import Format
from tests.pictures import large, opened, photograph
from tests.service import ROOT, until
from workers.imaging.errors import PictureError
from workers.imaging.protocol import Target
from workers.sandbox import ChildCrashed, ConversionTimeout, Interrupted, Sandbox

WEBP = Target(Format.WEBP, 0, 50_000_000)
SLOW = Target(Format.PNG, 0, 50_000_000)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(60)
    yield sandbox
    sandbox.close()


def _busy(pid: int) -> bool:
    return sum(psutil.Process(pid).cpu_times()[:2]) > 0.6


def test_one_child_converts_picture_after_picture(sandbox: Sandbox) -> None:
    assert opened(sandbox.convert(photograph("coffee"), WEBP)).format == "WEBP"
    pid = sandbox.pid
    assert opened(sandbox.convert(photograph("rocket"), WEBP)).size == (640, 427)
    assert sandbox.pid == pid


def test_a_picture_that_cannot_be_read_costs_no_child(sandbox: Sandbox) -> None:
    sandbox.start()
    pid = sandbox.pid
    for data in (b"", b"text", photograph("astronaut")[:100], b"\xff\xd8\xff" + b"\0" * 50):
        with pytest.raises(PictureError) as error:
            sandbox.convert(data, WEBP)
        assert "\n" not in str(error.value)
    assert sandbox.pid == pid
    assert opened(sandbox.convert(photograph("rocket"), WEBP)).format == "WEBP"


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_fails_that_picture_alone(sandbox: Sandbox, sig: signal.Signals) -> None:
    sandbox.start()
    pid = sandbox.pid
    assert pid is not None
    killer = threading.Thread(target=lambda: (until(lambda: _busy(pid)), os.kill(pid, sig)))
    killer.start()
    with pytest.raises(ChildCrashed, match=f"status -{int(sig)}"):
        sandbox.convert(large(3000, 3000), SLOW)
    killer.join()
    assert opened(sandbox.convert(photograph("rocket"), WEBP)).format == "WEBP"
    assert sandbox.pid != pid


def test_a_child_that_died_between_two_pictures_is_replaced(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.pid is not None
    os.kill(sandbox.pid, signal.SIGKILL)
    psutil.Process(sandbox.pid).wait(10)
    assert opened(sandbox.convert(photograph("rocket"), WEBP)).format == "WEBP"


def test_a_picture_that_takes_too_long_is_ended(sandbox: Sandbox) -> None:
    sandbox.start()
    quick = Sandbox(0.5)
    quick.start()
    pid = quick.pid
    with pytest.raises(ConversionTimeout, match=r"longer than 0\.5 s"):
        quick.convert(large(3000, 3000), SLOW)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    quick.close()


def test_a_worker_that_stops_does_not_wait_for_ever(sandbox: Sandbox) -> None:
    sandbox.interrupt_after(0.3)
    with pytest.raises(Interrupted):
        sandbox.convert(large(3000, 3000), SLOW)


def test_a_stop_sent_to_every_process_lets_the_picture_in_hand_be_finished(
    sandbox: Sandbox,
) -> None:
    sandbox.start()
    pid = sandbox.pid
    assert pid is not None

    def stop() -> None:
        until(lambda: _busy(pid))
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert opened(sandbox.convert(large(1600, 1600), SLOW)).size == (1600, 1600)
    stopper.join()


def test_the_child_sees_no_secret_and_no_address(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:secret@example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sandbox.convert(photograph("rocket"), WEBP)
    child = psutil.Process(sandbox.pid)
    assert "secret" not in str(child.environ())
    assert child.environ()["VIPS_CONCURRENCY"] == "1"
    assert child.net_connections("inet") == []


def test_the_child_dies_with_its_worker() -> None:
    script = (
        "from workers.sandbox import Sandbox; import time; s = Sandbox(60); s.start();"
        "print(s.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        child = psutil.Process(int(worker.stdout.readline()))
        worker.kill()
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running()

"""The warm decoder: what it may see, and how it ends."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from PIL import Image

from bench.launch import ROOT
from bench.memory import peak_memory
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.process.frames import Closed, Tried
from imaging.target import Target
from tests.imaging.samples import oriented
from tests.pictures import encoded, large, opened, photograph, snapshot
from tests.service import until
from workers.decoder import sandbox as sandbox_module
from workers.decoder.process import Decoder, DecoderLimits
from workers.decoder.sandbox import ConversionTimeout, DecoderCrashed, Interrupted, Sandbox

NAME = "0" * 16
WEBP = Target(Format.WEBP, 0, Limits())
SLOW = Target(Format.PNG, 0, Limits())


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(60)
    yield sandbox
    sandbox.close()


def _cpu_seconds(pid: int) -> float:
    return float(sum(psutil.Process(pid).cpu_times()[:2]))


def _at_rest(sandbox: Sandbox) -> tuple[int, float]:
    """The process id of the decoder, which is up, and the seconds of CPU that its start took."""
    sandbox.check()
    assert sandbox.pid is not None
    return sandbox.pid, _cpu_seconds(sandbox.pid)


def _wait_for_work(pid: int, start: float) -> None:
    """Wait until a decoder is in the middle of a picture."""
    until(lambda: _cpu_seconds(pid) > start + 0.1, what="the decoder works")


def test_one_decoder_converts_picture_after_picture(sandbox: Sandbox) -> None:
    assert opened(sandbox.convert(snapshot(), WEBP)).format == "WEBP"
    pid = sandbox.pid
    assert opened(sandbox.convert(snapshot(), WEBP)).size == (120, 80)
    assert sandbox.pid == pid


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's scheduler")
def test_a_decoder_at_work_takes_no_core_from_a_process_that_answers(sandbox: Sandbox) -> None:
    """But it begins with the next picture at once."""
    sandbox.start()
    policies: list[set[int]] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.005):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                policies.append(_policies(sandbox.pid))

    watch = threading.Thread(target=look)
    watch.start()
    sandbox.convert(large(800, 800), WEBP)
    ended.set()
    watch.join()
    assert {os.SCHED_BATCH} in policies
    assert sandbox.pid is not None
    until(lambda: os.sched_getscheduler(sandbox.pid or 0) == os.SCHED_OTHER)


def _policies(pid: int | None) -> set[int]:
    """How the threads of a process are scheduled."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return {os.sched_getscheduler(int(thread.name)) for thread in threads}


def test_a_picture_that_cannot_be_read_costs_no_decoder(sandbox: Sandbox) -> None:
    sandbox.start()
    pid = sandbox.pid
    for data in (b"", b"text", photograph("astronaut")[:100], b"\xff\xd8\xff" + b"\0" * 50):
        with pytest.raises(PictureError) as error:
            sandbox.convert(data, WEBP)
        assert "\n" not in str(error.value)
    assert sandbox.pid == pid
    assert opened(sandbox.convert(snapshot(), WEBP)).format == "WEBP"


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGSEGV])
def test_a_crash_fails_that_picture_alone(sandbox: Sandbox, sig: signal.Signals) -> None:
    pid, start = _at_rest(sandbox)

    def kill_in_work() -> None:
        _wait_for_work(pid, start)
        os.kill(pid, sig)

    killer = threading.Thread(target=kill_in_work)
    killer.start()
    with pytest.raises(DecoderCrashed, match=f"status -{int(sig)}"):
        sandbox.convert(large(1500, 1500), SLOW)
    killer.join()
    assert opened(sandbox.convert(snapshot(), WEBP)).format == "WEBP"
    assert sandbox.pid != pid


def test_a_decoder_that_died_between_two_pictures_is_replaced(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.pid is not None
    os.kill(sandbox.pid, signal.SIGKILL)
    psutil.Process(sandbox.pid).wait(10)
    assert opened(sandbox.convert(snapshot(), WEBP)).format == "WEBP"


def test_a_picture_may_be_handed_over_before_its_result_is_waited_for(sandbox: Sandbox) -> None:
    sandbox.check()
    first, data = sandbox.pid, snapshot()
    sandbox.begin(NAME, data, WEBP)
    assert opened(sandbox.convert(data, WEBP)).format == "WEBP"
    assert opened(sandbox.convert(data, WEBP)).format == "WEBP"
    assert sandbox.pid == first


@pytest.mark.parametrize("again", [False, True])
def test_the_result_of_another_picture_that_was_handed_over_is_never_taken(
    sandbox: Sandbox, again: bool
) -> None:
    sandbox.check()
    sandbox.begin(NAME, snapshot(), WEBP)
    image = Image.new("RGB", (30, 20), "teal")
    data = encoded(image, "PNG")
    if again:
        sandbox.begin(NAME, data, WEBP)
    assert opened(sandbox.convert(data, WEBP)).size == image.size


def test_a_picture_asked_for_otherwise_than_it_was_handed_over_is_converted_anew(
    sandbox: Sandbox,
) -> None:
    sandbox.check()
    data = snapshot()
    sandbox.begin(NAME, data, WEBP)
    assert opened(sandbox.convert(data, SLOW)).format == "PNG"


def test_a_crash_over_a_picture_that_was_handed_over_is_its_own(sandbox: Sandbox) -> None:
    sandbox.check()
    assert sandbox.pid is not None
    os.kill(sandbox.pid, signal.SIGSTOP)
    data = snapshot()
    sandbox.begin(NAME, data, WEBP)
    os.kill(sandbox.pid, signal.SIGKILL)
    with pytest.raises(DecoderCrashed):
        sandbox.convert(data, WEBP)
    assert opened(sandbox.convert(data, WEBP)).format == "WEBP"


def test_a_decoder_that_is_not_up_yet_gets_its_picture_when_it_is(sandbox: Sandbox) -> None:
    data = snapshot()
    sandbox.begin(NAME, data, WEBP)
    assert opened(sandbox.convert(data, WEBP)).format == "WEBP"


def test_a_picture_that_takes_too_long_is_ended() -> None:
    quick = Sandbox(0.5)
    quick.start()
    pid = quick.pid
    with pytest.raises(ConversionTimeout, match=r"longer than 0\.5 s"):
        quick.convert(large(1500, 1500), SLOW)
    assert pid is not None
    assert not psutil.pid_exists(pid)
    quick.close()


def test_the_start_of_a_decoder_is_no_part_of_the_time_of_a_picture() -> None:
    less_than_a_start = 0.2
    sandbox = Sandbox(less_than_a_start)
    try:
        assert opened(sandbox.convert(large(32, 32), WEBP)).format == "WEBP"
    finally:
        sandbox.close()


def test_a_worker_that_stops_does_not_wait_for_ever(sandbox: Sandbox) -> None:
    sandbox.interrupt_after(0.3)
    with pytest.raises(Interrupted):
        sandbox.convert(large(1500, 1500), SLOW)


def test_a_stop_sent_to_every_process_lets_the_picture_in_hand_be_finished(
    sandbox: Sandbox,
) -> None:
    pid, start = _at_rest(sandbox)

    def stop() -> None:
        _wait_for_work(pid, start)
        os.kill(pid, signal.SIGTERM)
        os.kill(pid, signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    assert opened(sandbox.convert(large(800, 800), SLOW)).size == (800, 800)
    stopper.join()


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux's C library and proc(5)")
def test_a_decoder_at_rest_has_given_back_what_a_picture_has_needed(sandbox: Sandbox) -> None:
    photo = large(3000, 2000)
    sandbox.convert(photo, Target(Format.JPG, 80, Limits(), Effort.BALANCED))
    assert sandbox.pid is not None
    needed = peak_memory(sandbox.pid)
    assert needed > 70 * 1024**2
    until(lambda: (sandbox.memory or needed) < 0.7 * needed, what=f"{needed} bytes were needed")


def test_the_decoder_sees_no_secret_and_no_address(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:secret@example")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sandbox.convert(snapshot(), WEBP)
    decoder = psutil.Process(sandbox.pid)
    assert "secret" not in str(decoder.environ())
    assert decoder.environ()["VIPS_CONCURRENCY"] == "1"
    assert decoder.net_connections("inet") == []


def test_the_decoder_dies_with_its_worker() -> None:
    script = (
        "from workers.decoder.sandbox import Sandbox; import time; s = Sandbox(60); s.start();"
        "print(s.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout is not None
        decoder = psutil.Process(int(worker.stdout.readline()))
        worker.kill()
        psutil.wait_procs([decoder], timeout=10)
        assert not decoder.is_running()


def _status(pid: int | None, name: str) -> str:
    """One line of what the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def test_the_decoder_is_bounded_and_has_nothing_open_but_its_socket(sandbox: Sandbox) -> None:
    sandbox.convert(snapshot(), WEBP)
    decoder = psutil.Process(sandbox.pid)
    for kind, most in (
        (resource.RLIMIT_AS, DecoderLimits().memory),
        (resource.RLIMIT_FSIZE, DecoderLimits().memory),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, 130),
    ):
        assert 0 <= decoder.rlimit(kind)[0] <= most
    assert _status(sandbox.pid, "NoNewPrivs") == "1"
    assert _status(sandbox.pid, "Umask") == "0077"
    assert set(os.listdir(f"/proc/{sandbox.pid}/fd")) == {"0", "1", "2"}  # noqa: PTH208


def test_a_confined_process_reaches_nothing_but_its_folder(tmp_path: Path) -> None:
    """What the decoder does first, and then what code that has taken it over might try."""
    (tmp_path / "own").mkdir()
    (tmp_path / "secret").write_text("of others")
    script = """
        import os, pathlib, signal, socket, subprocess, sys, threading
        from imaging.process.confine import confine

        own, other = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
        sys.path[0] = os.getcwd()  # as of a module that is run
        print("missing", *confine(4 << 30, own))

        def attempt(name, action):
            try:
                action()
            except OSError:
                return
            print(name)

        attempt("write", lambda: (other / "new").write_text(""))
        attempt("overwrite", lambda: (other / "secret").write_text(""))
        attempt("read", lambda: (other / "secret").read_text())
        attempt("service", lambda: pathlib.Path("config.yaml").read_text())
        attempt("environment", lambda: pathlib.Path(f"/proc/{os.getppid()}/environ").read_text())
        attempt("network", lambda: socket.create_connection(("127.0.0.1", 9)))
        attempt("socket", lambda: socket.socket(socket.AF_UNIX))
        attempt("datagrams", lambda: socket.socket(type=socket.SOCK_DGRAM))
        attempt("program", lambda: subprocess.run(["true"]))
        attempt("fork", lambda: os.fork() or os._exit(0))
        attempt("signal", lambda: os.kill(os.getppid(), 0))
        attempt("own folder", lambda: (own / "a").write_text(""))
        attempt("thread", lambda: threading.Thread(target=int).start())
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tmp_path / "own", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    missing, *reached = done.stdout.splitlines()
    if missing != "missing":
        pytest.skip(f"this kernel has no {missing.removeprefix('missing ')}")
    assert reached == ["own folder", "thread"]
    assert (tmp_path / "secret").read_text() == "of others"


def test_the_decoder_has_a_temporary_folder_of_its_own_that_goes_with_it(sandbox: Sandbox) -> None:
    sandbox.convert(snapshot(), WEBP)
    folder = Path(psutil.Process(sandbox.pid).environ()["TMPDIR"])
    assert folder.stat().st_mode & 0o777 == 0o700
    # To be turned it has to be decoded as a whole, which libvips does in a file from 100 MB on.
    data = encoded(Image.new("RGB", (6200, 6200), "teal"), "JPEG", exif=oriented(6))
    fast = Target(Format.JPG, 80, Limits(), Effort.FAST)
    assert Image.open(io.BytesIO(sandbox.convert(data, fast))).size == (6200, 6200)
    assert list(folder.iterdir()) == []
    sandbox.close()
    assert not folder.exists()


def test_what_a_killed_worker_left_behind_is_swept(sandbox: Sandbox) -> None:
    left = Path(tempfile.mkdtemp(prefix="tinyimage-decoder-"))
    (left / "vips-1.v").touch()
    os.utime(left, (0, 0))
    sandbox.convert(snapshot(), WEBP)
    kept = Path(psutil.Process(sandbox.pid).environ()["TMPDIR"])
    os.utime(kept, (0, 0))
    other = Sandbox(60)
    other.start()
    other.close()
    assert not left.exists()
    assert kept.exists()


def test_a_picture_that_needs_too_much_memory_fails_and_the_next_one_is_converted() -> None:
    vast = encoded(Image.linear_gradient("L").resize((7000, 7000)).convert("RGB"), "JPEG")
    small = Sandbox(60, DecoderLimits(memory=350 * 1024**2))
    try:
        for format in (Format.PNG, Format.AVIF, Format.WEBP):
            target = Target(format, 0, Limits(), Effort.FAST)
            with pytest.raises((PictureError, DecoderCrashed)):
                small.convert(vast, target)
            assert opened(small.convert(snapshot(), WEBP)).format == "WEBP"
    finally:
        small.close()


def _children() -> set[psutil.Process]:
    """All that this process has started: other tests' Redis may be among them."""
    return set(psutil.Process().children())


@pytest.mark.parametrize("limits", [DecoderLimits(pictures=2), DecoderLimits(growth=1)])
def test_a_worn_decoder_is_replaced_while_pictures_go_on(limits: DecoderLimits) -> None:
    before = _children()
    sandbox = Sandbox(60, limits)
    try:
        sandbox.start()
        first = sandbox.pid
        assert first is not None

        def replaced() -> bool:
            assert opened(sandbox.convert(snapshot(), WEBP)).format == "WEBP"
            return sandbox.pid != first

        until(replaced, what="another decoder")
        assert not psutil.pid_exists(first)
    finally:
        sandbox.close()
    assert _children() == before


def test_the_decoder_that_replaces_a_worn_one_gets_its_findings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Tried | None] = []

    def noted(limits: DecoderLimits, timeout: float, tried: Tried | None = None) -> Decoder:
        told.append(tried)
        return Decoder(limits, timeout, tried)

    monkeypatch.setattr(sandbox_module, "Decoder", noted)
    sandbox = Sandbox(60, DecoderLimits(pictures=1))
    try:
        sandbox.convert(snapshot(), WEBP)
        assert told[0] is None
        assert told[1] == Tried(look=sandbox.look)
    finally:
        sandbox.close()


def test_a_worn_decoder_goes_on_until_the_next_one_is_up() -> None:
    before = _children()
    sandbox = Sandbox(60, DecoderLimits(pictures=1))
    try:
        sandbox.convert(snapshot(), WEBP)
        first = sandbox.pid
        (following,) = (p for p in _children() - before if p.pid != first)
        following.suspend()
        sandbox.convert(snapshot(), WEBP)
        assert sandbox.pid == first
        # Nor does it matter if that one ends before.
        following.kill()
        psutil.wait_procs([following], timeout=10)
        sandbox.convert(snapshot(), WEBP)
        assert sandbox.pid == first
    finally:
        sandbox.close()


def test_the_kernel_ends_a_decoder_that_nobody_stops() -> None:
    decoder = Decoder(DecoderLimits(), timeout=0.1)
    decoder.connection.settimeout(60)
    decoder.wait(lambda: None)
    decoder.send(Target(Format.AVIF, 0, Limits(), Effort.SMALL), large(1500, 1500))
    with pytest.raises(Closed):
        decoder.receive(lambda: None)
    assert decoder.end(patience=5) == -signal.SIGXCPU

"""`--watch`: a folder into which pictures come."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tinyimage_client.command.whole import looks_whole

from client.tests.command import started, tinyimage
from client.tests.standin import RESULT, Answer, Request, Standin, choosing
from tests.pictures import as_format, photograph
from tests.service import until

PICTURE = as_format("rocket", "JPEG")


class Watching:
    """The command, at work."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for("watching")

    def wait_for(self, text: str, count: int = 1) -> None:
        """Until it has said this so often."""
        until(
            lambda: "".join(self.lines).count(text) >= count,
            what=f"{text!r} in {self.lines}",
        )

    def stop(self, sent: signal.Signals = signal.SIGINT) -> int:
        """Its status."""
        self.process.send_signal(sent)
        status = self.process.wait(20)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.decode())


@contextlib.contextmanager
def watching(folder: Path, fake: Standin, *arguments: str) -> Iterator[Watching]:
    process = started("--watch", str(folder), "--server", fake.url, *arguments, cwd=folder.parent)
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def drop(folder: Path) -> Path:
    """The folder that is watched."""
    path = folder / "drop"
    path.mkdir()
    return path


def new(number: int) -> bytes:
    """A picture that no other is equal to."""
    return PICTURE[:2] + b"\xff\xfe\x00\x06" + number.to_bytes(4, "big") + PICTURE[2:]


def test_what_comes_into_the_folder_is_compressed_once(drop: Path, fake: Standin) -> None:
    (drop / "before.jpg").write_bytes(new(0))
    with watching(drop, fake) as it:
        it.wait_for("before.jpg → ")
        (drop / "below" / "it").mkdir(parents=True)
        (drop / "below" / "it" / "after.jpg").write_bytes(new(1))
        (drop / "notes.txt").write_text("no picture")
        it.wait_for("after.jpg → ")
        (drop / "before.jpg").write_bytes(new(2))
        it.wait_for("before.jpg → ", 2)
        (drop / "notes.txt").rename(drop / "last.txt")
        time.sleep(1.5)  # its own results have been there for longer than it waits for a file
        assert it.stop() == 0
    assert len(fake.seen("/upload")) == 3
    results = {path for path in drop.rglob("*-tiny.webp") if path.read_bytes() == RESULT}
    assert results == {drop / "before-tiny.webp", drop / "below" / "it" / "after-tiny.webp"}
    assert it.lines[-1].startswith("3 pictures")
    # The next one does not begin anew.
    with watching(drop, fake) as it:
        (drop / "new.jpg").write_bytes(new(3))
        it.wait_for("new.jpg → ")
        assert it.stop(signal.SIGTERM) == 0
    assert len(fake.seen("/upload")) == 4


def test_results_that_replace_their_originals_are_not_compressed_again(
    drop: Path, fake: Standin
) -> None:
    with watching(drop, fake, "--in-place") as it:
        (drop / "1.jpg").write_bytes(new(1))
        it.wait_for("1.jpg  ")
        until(lambda: (drop / "1.jpg").read_bytes() == RESULT)
        (drop / "2.jpg").write_bytes(new(2))
        it.wait_for("2.jpg  ")
        time.sleep(1.5)
        assert it.stop() == 0
    assert len(fake.seen("/upload")) == 2
    assert sum("skipped" in line for line in it.lines) == 0


def test_what_is_no_file_is_told_and_holds_nothing_up(drop: Path, fake: Standin) -> None:
    os.mkfifo(drop / "before.jpg")
    with watching(drop, fake) as it:
        os.mkfifo(drop / "pipe.jpg")
        (drop / "itself.jpg").symlink_to("itself.jpg")
        it.wait_for("before.jpg: failed: not a regular file")
        it.wait_for("pipe.jpg: failed: not a regular file")
        (drop / "1.jpg").write_bytes(new(1))
        it.wait_for("1.jpg → ")
        assert it.stop(signal.SIGHUP) == 1
    assert sum("pipe.jpg" in line for line in it.lines) == 1


def test_results_of_different_formats_do_not_collide(drop: Path, fake: Standin) -> None:
    fake.hook = choosing(fake)
    with watching(drop, fake, "-f", "auto") as it:
        (drop / "logo.tif").write_bytes(b"webp:1")
        (drop / "logo.bmp").write_bytes(b"avif:2")
        it.wait_for("logo.tif → ")
        it.wait_for("logo.bmp → ")
        (drop / "logo.jp2").write_bytes(b"avif:3")
        it.wait_for("logo.jp2: failed: logo-tiny.avif is the result of logo.bmp already")
        (drop / "logo.bmp").unlink()
        (drop / "logo.jp2").write_bytes(b"avif:4")
        it.wait_for("logo.jp2 → ")
        assert it.stop() == 1


def test_a_file_is_left_alone_until_it_is_whole(drop: Path, fake: Standin) -> None:
    whole = new(1)
    with watching(drop, fake, "-o", str(drop / "out")) as it:
        with (drop / "1.jpg").open("wb") as file:
            for start in range(0, len(whole), len(whole) // 4 + 1):
                file.write(whole[start : start + len(whole) // 4 + 1])
                file.flush()
                time.sleep(0.7)
        (drop / "half.jpg").write_bytes(whole[: len(whole) // 2])
        it.wait_for("1.jpg → ")
        time.sleep(1.2)
        (drop / "half.jpg").write_bytes(new(2))
        it.wait_for("half.jpg → ")
        assert it.stop() == 0
    assert {request.picture for request in fake.seen("/upload")} == {whole, new(2)}
    assert {path.name for path in (drop / "out").iterdir()} == {"1.webp", "half.webp"}


def test_what_was_begun_is_ended_when_it_is_stopped(drop: Path, fake: Standin) -> None:
    begun, go = threading.Event(), threading.Event()

    def hook(request: Request) -> Answer | None:
        if request.path.startswith("/download/"):
            begun.set()
            assert go.wait(20)
        return None

    fake.hook = hook
    for number in range(5):
        (drop / f"{number}.jpg").write_bytes(new(number))
    with watching(drop, fake, "--jobs", "2") as it:
        assert begun.wait(20)
        it.process.send_signal(signal.SIGTERM)
        it.wait_for("stopping when all that was begun is done")
        assert it.process.poll() is None
        go.set()
        assert it.process.wait(20) == 0
    results = list(drop.glob("*-tiny.webp"))
    assert len(results) == 2
    assert len(list(drop.iterdir())) == 5 + 2
    go.clear()
    begun.clear()
    with watching(drop, fake) as it:
        assert begun.wait(20)
        it.process.send_signal(signal.SIGINT)
        it.wait_for("stopping")
        assert it.stop() == 130
    go.set()
    assert len(list(drop.iterdir())) == 5 + 2


def test_wrong_arguments_and_a_folder_that_goes_are_told(drop: Path, fake: Standin) -> None:
    for arguments in (["1.jpg"], ["--dry-run"], ["-o", str(drop)]):
        assert tinyimage("--watch", drop, *arguments, "--server", fake.url).status == 2
    assert tinyimage("--watch", drop / "nowhere", "--server", fake.url).status == 2
    with watching(drop, fake) as it:
        drop.rmdir()
        assert it.process.wait(20) == 1
        it.wait_for("no such file or directory")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF"])
def test_the_end_of_a_picture_is_found(tmp_path: Path, format: str) -> None:
    picture = tmp_path / "picture"
    data = as_format("rocket", format)
    picture.write_bytes(data)
    assert looks_whole(picture)
    picture.write_bytes(data[: len(data) // 2])
    assert looks_whole(picture) == (format == "TIFF"), "which has its directory anywhere"
    picture.write_bytes(b"")
    assert not looks_whole(picture)
    picture.write_bytes(photograph("rocket") + b"trailer" * 100)
    assert looks_whole(picture)

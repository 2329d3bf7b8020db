"""No file is harmed: whatever happens, an original is whole, and so is each result."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tinyimage_client.command.places import Places, Taken

from client.tests.command import started, tinyimage
from client.tests.standin import RESULT, Answer, Request, Standin
from tests.disk import small_disk
from tests.pictures import opened, photograph, unique
from tests.service import Service, until

ORIGINAL = b"\xff\xd8\xff" + b"original" * 200
"""Of the pictures here, each with some bytes of its own."""


def put(path: Path, data: bytes = ORIGINAL) -> Path:
    """A picture that no other is equal to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data + os.urandom(8))
    return path


def put_many(folder: Path, count: int) -> dict[Path, bytes]:
    """Pictures, and what they hold."""
    paths = [put(folder / str(number % 3) / f"{number:02}.jpg") for number in range(count)]
    return {path: path.read_bytes() for path in paths}


def assert_whole(originals: dict[Path, bytes], folder: Path) -> int:
    """See that each file is an original or a result. Returns how many are results."""
    found = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert set(found) == set(originals), "nothing is left behind"
    results = [path for path, data in found.items() if data == RESULT]
    assert all(found[path] in (originals[path], RESULT) for path in originals)
    return len(results)


def slowly(request: Request) -> Answer | None:
    """A server that takes a while for each download."""
    if request.path.startswith("/download/"):
        time.sleep(0.05)
    return None


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_command_that_is_stopped_leaves_whole_files_alone(
    folder: Path, fake: Standin, sent: signal.Signals
) -> None:
    is_sent = threading.Event()

    def hook(request: Request) -> Answer | None:
        if request.path.startswith("/download/") and len(fake.seen("/download/")) > 12:
            is_sent.wait(20)
            time.sleep(1)  # a busy machine takes a while to hand on a signal
        return slowly(request)

    fake.hook = hook
    originals = put_many(folder, 30)
    process = started(".", "--in-place", "--server", fake.url, "--jobs", "4", cwd=folder)
    until(lambda: len(fake.seen("/download/")) > 12, what="some are done")
    process.send_signal(sent)
    is_sent.set()
    _, said = process.communicate(timeout=20)
    assert process.returncode == (130 if sent != signal.SIGKILL else -sent), said
    if sent == signal.SIGKILL:
        for path in folder.rglob(".*.tinyimage-*"):
            path.unlink()
    else:
        assert b"stopped" in said
        assert b"Traceback" not in said
    assert 0 < assert_whole(originals, folder) < 30
    ended = tinyimage(".", "--in-place", "--server", fake.url)
    assert ended.status == 0, ended.err
    assert assert_whole(originals, folder) == 30


def test_what_a_killed_command_left_behind_is_deleted_later(folder: Path, fake: Standin) -> None:
    put(folder / "1.jpg")
    old, new = folder / ".1.jpg.tinyimage-00aa11bb", folder / ".1.jpg.tinyimage-22cc33dd"
    for path in (old, new):
        put(path)
    os.utime(old, (time.time() - 7200,) * 2)
    assert tinyimage(".", "--server", fake.url).status == 0
    assert {path.name for path in folder.iterdir()} == {"1.jpg", "1-tiny.webp", new.name}


def large_for(*names: str) -> Callable[[Request], Answer | None]:
    """A server whose results have a megabyte, for these pictures."""
    large: set[str] = set()
    result = RESULT + bytes(1_000_000)

    def hook(request: Request) -> Answer | None:
        if request.path == "/upload" and any(name.encode() in request.body for name in names):
            large.add(hashlib.md5(request.picture).hexdigest())
        name = request.path.rpartition("/")[2]
        if name not in large:
            return None
        if request.path.startswith("/download/"):
            return Answer(body=result, headers={"Content-Type": "image/webp"})
        done = {"status": "done", "format": "webp", "quality": 0, "download_url": "?format=webp"}
        return Answer(body=[{**done, "result_bytes": len(result)}])

    return hook


def test_a_full_disk_is_a_line_and_the_rest_goes_on(folder: Path, fake: Standin) -> None:
    fake.hook = large_for("big.jpg")
    with small_disk(folder / "disk", "200k") as disk:
        originals = {put(disk / name): b"" for name in ("a.jpg", "big.jpg", "c.jpg")}
        originals = {path: path.read_bytes() for path in originals}
        ended = tinyimage("disk", "--in-place", "--width", "9", "--server", fake.url, "--json")
        assert ended.status == 1
        assert ended.objects["big.jpg"]["reason"] == "no space left on device"
        assert assert_whole(originals, disk) == 2
        ended = tinyimage("disk/big.jpg", "--server", fake.url)
        assert ended.err.splitlines()[0] == "disk/big.jpg: failed: no space left on device"
        assert len(list(disk.iterdir())) == 3


def test_a_file_that_may_not_grow_is_a_line_and_the_rest_goes_on(
    folder: Path, fake: Standin
) -> None:
    fake.hook = large_for("big.jpg")
    originals = {put(folder / name): b"" for name in ("a.jpg", "big.jpg", "c.jpg")}
    originals = {path: path.read_bytes() for path in originals}
    process = started(
        *(".", "--in-place", "--width", "9", "--server", fake.url),
        cwd=folder,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"big.jpg: failed: file too large" in said
    assert assert_whole(originals, folder) == 2


def test_links_are_not_replaced(folder: Path, fake: Standin) -> None:
    real = put(folder / "real" / "1.jpg")
    other = put(folder / "other.jpg")
    before = real.read_bytes()
    (folder / "link.jpg").symlink_to(real)
    (folder / "gone.jpg").symlink_to(folder / "nowhere")
    ended = tinyimage("link.jpg", "gone.jpg", "other.jpg", "--in-place", "--server", fake.url)
    assert ended.status == 1
    assert "link.jpg: failed: link.jpg is a symbolic link, and is not replaced" in ended.err
    assert "gone.jpg: failed: no such file or directory" in ended.err
    assert (real.read_bytes(), other.read_bytes()) == (before, RESULT)
    assert (folder / "link.jpg").is_symlink()
    # It is read like any other picture, but not written through.
    assert tinyimage("link.jpg", "--server", fake.url).status == 0
    assert (folder / "link-tiny.webp").read_bytes() == RESULT
    (folder / "link-tiny.webp").unlink()
    mine = put(folder / "mine.webp")
    held = mine.read_bytes()
    (folder / "link-tiny.webp").symlink_to(mine)
    ended = tinyimage("link.jpg", "--server", fake.url)
    assert "link-tiny.webp is a symbolic link" in ended.err
    assert mine.read_bytes() == held


def test_read_only_files_are_not_replaced(folder: Path, fake: Standin) -> None:
    locked, free = put(folder / "locked.jpg"), put(folder / "free.jpg")
    before = locked.read_bytes()
    locked.chmod(0o444)
    ended = tinyimage(".", "--in-place", "--server", fake.url)
    assert ended.status == 1
    assert "locked.jpg: failed: locked.jpg is read-only" in ended.err
    assert (locked.read_bytes(), free.read_bytes()) == (before, RESULT)
    # A result beside it can be replaced by the next one.
    assert tinyimage("locked.jpg", "--server", fake.url, "--quiet").status == 0
    assert (folder / "locked-tiny.webp").stat().st_mode & 0o200
    (folder / "locked-tiny.webp").write_bytes(b"mine")
    (folder / "locked-tiny.webp").chmod(0o400)
    assert "read-only" in tinyimage("locked.jpg", "--server", fake.url).err
    assert (folder / "locked-tiny.webp").read_bytes() == b"mine"


def test_names_of_any_kind(folder: Path, fake: Standin) -> None:
    names = [
        "größe 🐈.jpg".encode(),
        b"latin-\xe9.jpg",
        b"line\nbreak.jpg",
        b"escape\x1b[31m.jpg",
        b'quote".jpg',
        b"-dash.jpg",
        b"%41[1]*.jpg",
        "é".encode() * 125 + b"x.jpg",  # as long as names may be
    ]
    for name in names:
        put(folder / "in" / os.fsdecode(name))
    ended = tinyimage("in", "-o", "out", "--server", fake.url)
    assert ended.status == 1
    assert ended.err.count("failed: ") == 1
    assert ended.err.count("file name too long") == 1, "with .webp at its end"
    assert "\x1b" not in ended.err
    assert "latin-\\xe9.jpg" in ended.err
    assert "line\\nbreak.jpg" in ended.err
    written = {os.fsencode(path.name) for path in (folder / "out").iterdir()}
    assert written == {name.replace(b".jpg", b".webp") for name in names[:-1]}
    ended = tinyimage("in", "--in-place", "--server", fake.url, "--json")
    assert ended.status == 0, ended.err
    assert set(ended.objects) == {os.fsdecode(name) for name in names}
    assert {path.read_bytes() for path in (folder / "in").iterdir()} == {RESULT}
    assert all(b"surrogate" not in request.body for request in fake.requests)


def test_an_original_that_is_saved_anew_meanwhile_is_kept(folder: Path, fake: Standin) -> None:
    picture = put(folder / "1.jpg")

    def hook(request: Request) -> Answer | None:
        if request.path.startswith("/download/"):
            picture.write_bytes(b"edited")
        return None

    fake.hook = hook
    ended = tinyimage("1.jpg", "--in-place", "--server", fake.url)
    assert ended.err.splitlines()[0] == "1.jpg: failed: the file has changed meanwhile"
    assert picture.read_bytes() == b"edited"


def test_no_result_takes_the_place_of_an_original_or_of_another_result(
    folder: Path, fake: Standin
) -> None:
    for name in ("in/a.jpg", "in/a.png", "b.jpg", "b.webp", "in/b.webp"):
        put(folder / name)
    ended = tinyimage("in", "-o", "out", "--server", fake.url)
    assert "in/a.png: failed: a.webp is the result of a.jpg already" in ended.err
    assert {path.name for path in (folder / "out").iterdir()} == {"a.webp", "b.webp"}
    before = (folder / "in" / "b.webp").read_bytes()
    ended = tinyimage("b.jpg", "in/b.webp", "-o", "in", "--server", fake.url)
    assert "b.jpg: failed: b.webp is an original, and is not written over" in ended.err
    assert (folder / "in" / "b.webp").read_bytes() == before


def test_names_that_a_disk_takes_for_one_are_one_place(folder: Path) -> None:
    originals = [folder / "in" / name for name in ("A.jpg", "a.jpg", "E\u0301.jpg", "\u00c9.jpg")]
    targets = [folder / original.with_suffix(".webp").name for original in originals]
    places = Places([folder / "LOGO.JPG"])
    for target, original in zip(targets, originals, strict=True):
        places.take(target, original)  # on a disk that tells them apart
    # One that does not has one file, with the names of both.
    put(targets[0])
    targets[1].hardlink_to(targets[0])
    put(targets[2])
    targets[3].hardlink_to(targets[2])
    put(folder / "LOGO.JPG")
    (folder / "logo.jpg").hardlink_to(folder / "LOGO.JPG")
    for target, original in ((targets[1], originals[1]), (targets[3], originals[3])):
        with pytest.raises(Taken, match=r"is the result of (A|E.)\.jpg already"):
            places.take(target, original)
        assert not places.is_free(target, original)
    with pytest.raises(Taken, match="is an original"):
        places.take(folder / "logo.jpg", folder / "in" / "logo.png")


def test_a_result_that_is_no_picture_replaces_nothing(folder: Path, fake: Standin) -> None:
    picture = put(folder / "1.jpg")
    before = picture.read_bytes()
    fake.hook = lambda request: (
        Answer(body=b"<html>a proxy's page</html>", headers={"Content-Type": "image/webp"})
        if request.path.startswith("/download/")
        else None
    )
    ended = tinyimage("1.jpg", "--in-place", "--server", fake.url)
    assert ended.status == 1
    assert "1.jpg: failed: the result" in ended.err
    assert picture.read_bytes() == before


def test_what_is_no_file_is_a_line(folder: Path, fake: Standin) -> None:
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    put(folder / "1.jpg")
    (folder / "out").write_text("a file")
    ended = tinyimage("pipe.jpg", "1.jpg", "--server", fake.url)
    assert "pipe.jpg: failed: not a regular file" in ended.err
    (folder / "itself.jpg").symlink_to("itself.jpg")
    (folder / "up").symlink_to("..")
    ended = tinyimage(".", "--server", fake.url, "--json")
    assert {name: (one["status"], one.get("reason")) for name, one in ended.objects.items()} == {
        "1.jpg": ("unchanged", None),
        "itself.jpg": ("failed", "too many levels of symbolic links"),
        "pipe.jpg": ("failed", "not a regular file"),
    }
    ended = tinyimage("1.jpg", "-o", "out/below", "--server", fake.url)
    assert ended.status == 1
    assert "1.jpg: failed: out/below/1.webp: not a directory" in ended.err


def test_a_server_that_is_started_anew_in_the_middle_loses_nothing(
    folder: Path, tmp_path: Path
) -> None:
    pictures = {folder / f"{number}.jpg": unique(photograph("rocket")) for number in range(12)}
    for path, data in pictures.items():
        path.write_bytes(data)
    first = Service(tmp_path)
    second = None
    try:
        first.ready()
        process = started(
            *(".", "--in-place", "--width", "160", "--jobs", "2", "--json", "--server", first.url),
            cwd=folder,
        )
        until(lambda: first.stored("results"), what="the first is done")
        first.terminate(signal.SIGTERM)
        second = Service(tmp_path, first.port).ready()
        out, said = process.communicate(timeout=60)
    finally:
        for service in (first, second):
            if service is not None:
                with contextlib.suppress(Exception):
                    service.terminate()
    assert process.returncode == 0, said
    assert out.count(b'"written"') == len(pictures)
    assert {path.name for path in folder.iterdir()} == {path.name for path in pictures}
    for path, data in pictures.items():
        assert path.stat().st_size < len(data)
        assert opened(path.read_bytes()).width == 160

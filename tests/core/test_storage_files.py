"""What is the files' own: the disk."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from app.core.errors import StorageError, StorageFull
from app.core.storage import opened
from app.core.storage.errors import as_storage_error
from app.core.storage.files import FileStorage
from app.core.storage.interface import PART_SIZE, ObjectNotFound
from tests.disk import small_disk
from tests.storage import Blocking


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Blocking[FileStorage]]:
    with Blocking(FileStorage(tmp_path / "made" / "here")) as opened:
        yield opened


def test_an_object_is_on_the_disk_before_anybody_knows_of_it(
    storage: Blocking[FileStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content, its name, and the folders that were made for it."""
    synced: set[int] = set()
    fsync = os.fsync

    def seen(file: int) -> None:
        synced.add(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", seen)
    folder = tmp_path / "made" / "here"

    def inodes(key: str) -> set[int]:
        path = folder / key
        return {path.stat().st_ino, path.parent.stat().st_ino}

    storage.put("results/ab/one", b"x")
    assert inodes("results/ab/one") | inodes("results/ab") <= synced
    synced.clear()
    storage.put("results/ab/two", io.BytesIO(b"x" * 2_000_000))
    assert inodes("results/ab/two") <= synced


@pytest.mark.parametrize("cached", [True, False])
def test_an_object_that_is_open_stays_as_it_is(
    storage: Blocking[FileStorage], monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    """Also if it is deleted or replaced meanwhile, and where the disk would be waited for."""
    if not cached:
        monkeypatch.setattr(opened, "_NO_WAIT", None)
    data = bytes(range(256)) * 5_000
    storage.put("results/ab/one", data)
    file = storage.storage.open("results/ab/one")
    storage.put("results/ab/one", b"other")
    storage.delete(["results/ab/one"])

    async def read(start: int, end: int) -> list[bytes]:
        return [piece async for piece in file.stream(start, end)]

    assert file.info.size == len(data)
    pieces = storage.run(read(0, len(data)))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= opened.PIECE_SIZE
    assert storage.run(read(1000, 1300)) == [data[1000:1300]]
    file.close()


def test_what_is_known_of_an_open_object_is_that_of_its_bytes(
    storage: Blocking[FileStorage],
) -> None:
    storage.put("results/ab/one", b"first")
    found = storage.run(storage.storage.stat("results/ab/one"))
    with closing(storage.storage.open("results/ab/one")) as file:
        assert file.info == found
    storage.put("results/ab/one", b"the second")
    with closing(storage.storage.open("results/ab/one")) as file:
        assert file.info.size == len(b"the second")


def test_nothing_is_read_but_files_below_the_folder(
    storage: Blocking[FileStorage], tmp_path: Path
) -> None:
    folder = tmp_path / "made" / "here"
    (tmp_path / "made" / "secret").write_bytes(b"x")
    (folder / "link").symlink_to(tmp_path / "made" / "secret")
    (folder / "folder").mkdir()
    os.mkfifo(folder / "pipe")
    assert not storage.there("results/ab/one")  # its loop has files of its own
    before = len(list(Path("/dev/fd").iterdir()))
    for key in (
        "../secret",
        "folder/../../secret",
        "link",
        "folder",
        "pipe",
        "a\0b",
        "",
        "/etc/fstab",
    ):
        with pytest.raises(ObjectNotFound):
            storage.storage.open(key)
        assert storage.run(storage.storage.stat(key)) is None
    assert len(list(Path("/dev/fd").iterdir())) == before


@pytest.mark.parametrize("before", [None, b"first"])
def test_an_object_that_cannot_be_synced_leaves_what_was_there(
    storage: Blocking[FileStorage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    before: bytes | None,
) -> None:
    """No reader sees a part of an object, and one that is replaced stays until the new one is on
    the disk: a loss of power may take what is not synced."""
    folder = tmp_path / "made" / "here" / "results" / "ab"
    if before is not None:
        storage.put("results/ab/one", before)
    seen: list[bytes] = []

    def fail(file: int) -> None:
        seen.append((folder / "one").read_bytes())
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError):
        storage.put("results/ab/one", b"second")
    assert seen == [before or b"second"]
    assert [path.read_bytes() for path in folder.iterdir()] == ([before] if before else [])


def test_a_new_object_has_its_name_before_it_is_synced(
    storage: Blocking[FileStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So its content and its name are one commit of the file system's journal, and not two."""
    folder = tmp_path / "made" / "here" / "results" / "ab"
    names: list[str] = []
    fsync = os.fsync

    def seen(file: int) -> None:
        places = {path.stat().st_ino: path.name for path in (folder, *folder.iterdir())}
        names.append(places[os.fstat(file).st_ino])
        fsync(file)

    storage.put("results/ab/one", b"x")  # makes the folders
    monkeypatch.setattr(os, "fsync", seen)
    storage.put("results/ab/two", b"x")
    assert names == ["two", "ab"]


def test_folders_that_others_have_made_are_synced_together(
    storage: Blocking[FileStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "made" / "here"
    for place in ("first", "second"):
        storage.put(f"results/{place}/one", b"x")
    synced = _synced(monkeypatch)
    with Blocking(FileStorage(folder)) as other:
        other.put("results/first/two", b"x")
        assert folder / "results" in _paths(synced, folder)
        synced.clear()
        other.put("results/second/two", b"x")
        assert _paths(synced, folder) == [
            folder / "results" / "second" / "two",
            folder / "results" / "second",
        ]
        synced.clear()
        other.put("results/third/two", b"x")
        assert folder / "results" in _paths(synced, folder)


def test_only_the_first_picture_of_a_kind_waits_for_the_folders_of_all(
    storage: Blocking[FileStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each new folder would take two commits of the journal more, for 256 pictures."""
    folder = tmp_path / "made" / "here"
    synced = _synced(monkeypatch)
    storage.put("results/ab/one", b"x")
    assert {folder, folder / "results"} <= set(_paths(synced, folder))
    synced.clear()
    storage.put("results/cd/one", b"x")
    assert _paths(synced, folder) == [folder / "results/cd/one", folder / "results/cd"]
    storage.put("originals/cd/one", b"x")
    assert {folder, folder / "originals"} <= set(_paths(synced, folder))


def test_a_picture_is_stored_where_the_folders_of_others_cannot_be_made(
    storage: Blocking[FileStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def full(path: str | os.PathLike[str], mode: int = 0o777) -> None:
        if os.fspath(path).endswith("/05"):
            raise OSError(errno.ENOSPC, "")
        mkdir(path, mode)

    monkeypatch.setattr(os, "mkdir", full)
    storage.put("results/ab/one", b"x")
    storage.put("results/cd/one", b"y")
    assert (storage.get("results/ab/one"), storage.get("results/cd/one")) == (b"x", b"y")


def _synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the files and folders that are synced from now on."""
    synced: list[int] = []
    fsync = os.fsync

    def seen(file: int) -> None:
        synced.append(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", seen)
    return synced


def _paths(numbers: list[int], folder: Path) -> list[Path]:
    """The paths of files and folders by their numbers."""
    paths = {path.stat().st_ino: path for path in (folder, *folder.rglob("*"))}
    return [paths[number] for number in numbers]


def test_a_put_that_is_given_up_while_it_is_synced_makes_no_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path)
    given_up = threading.Event()
    monkeypatch.setattr(os, "fsync", lambda file: given_up.set())
    with pytest.raises(asyncio.CancelledError):
        storage._write("results/ab/one", io.BytesIO(b"x"), given_up)
    assert list((tmp_path / "results" / "ab").iterdir()) == []


def test_what_a_killed_writer_left_is_no_object_and_is_deleted(
    storage: Blocking[FileStorage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "made" / "here" / "results" / "ab"
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", lambda *names: os._exit(0))
        if (child := os.fork()) == 0:
            storage.put("results/ab/one", b"four")
        os.waitpid(child, 0)
    assert [path.name.partition("#")[0] for path in folder.iterdir()] == ["one"]
    assert storage.keys() == []
    assert storage.delete_staged(3600) == (0, 0)
    assert storage.delete_staged(-1) == (1, 4)


def test_a_put_that_nobody_waits_for_any_more_makes_no_object(tmp_path: Path) -> None:
    """Its thread cannot be stopped, and goes on to its next step."""
    storage = FileStorage(tmp_path)
    cancelled = threading.Event()

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        class Slow(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() >= PART_SIZE:
                    loop.call_soon_threadsafe(putting.cancel)
                    cancelled.wait(30)
                return super().read(size)

        putting = asyncio.create_task(storage.put("a", Slow(bytes(2 * PART_SIZE))))
        await asyncio.wait([putting])
        assert putting.cancelled()
        cancelled.set()
        await loop.shutdown_default_executor()

    asyncio.run(scenario())
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_told_by_its_kind(storage: Blocking[FileStorage], tmp_path: Path) -> None:
    (tmp_path / "made" / "here" / "file").touch()
    with pytest.raises(StorageError, match="Not a directory") as error:
        storage.put("file/a", b"x")
    assert (error.value.code, error.value.status) == ("storage_unavailable", 503)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        assert as_storage_error(OSError(number, "")).status == 507
    for number in (errno.EACCES, errno.EROFS, errno.EIO):
        assert as_storage_error(OSError(number, "")).status == 503


def test_a_full_disk_is_told_as_such_and_keeps_what_was_there(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "100k") as disk:
        storage = Blocking(FileStorage(disk))
        storage.put("a", b"first")
        with pytest.raises(StorageFull):
            storage.put("a", b"x" * 200_000)
        with pytest.raises(StorageFull):
            storage.put("a", io.BytesIO(b"x" * 2_000_000))
        assert storage.get("a") == b"first"
        assert [path.name for path in disk.iterdir()] == ["a"]

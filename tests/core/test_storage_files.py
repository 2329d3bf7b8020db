"""What is the files' own: the disk."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from pathlib import Path

import pytest

from app.core.errors import StorageError, StorageFull
from app.core.storage.errors import as_storage_error
from app.core.storage.files import FileStorage
from tests.disk import small_disk


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    return FileStorage(tmp_path / "made" / "here")


def test_an_object_is_on_the_disk_before_anybody_knows_of_it(
    storage: FileStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    asyncio.run(storage.put_stream("results/ab/two", io.BytesIO(b"x" * 2_000_000)))
    assert inodes("results/ab/two") <= synced


def test_what_fails_is_told_by_its_kind(storage: FileStorage, tmp_path: Path) -> None:
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
        storage = FileStorage(disk)
        storage.put("a", b"first")
        with pytest.raises(StorageFull):
            storage.put("a", b"x" * 200_000)
        with pytest.raises(StorageFull):
            asyncio.run(storage.put_stream("a", io.BytesIO(b"x" * 2_000_000)))
        assert storage.get("a") == b"first"
        assert [path.name for path in disk.iterdir()] == ["a"]

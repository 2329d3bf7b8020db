"""The storage on local files."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest

from app.core.storage import LIST_PAGE, ObjectNotFound, Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage.local(tmp_path / "made" / "here")


async def _collect(storage: Storage, key: str, start: int, end: int) -> bytes:
    return b"".join([part async for part in storage.get_stream(key, start, end)])


def test_what_is_put_comes_back_whole_and_in_parts(storage: Storage) -> None:
    data = bytes(range(256)) * 20_000  # 5 MB: several parts
    asyncio.run(storage.put_stream("a/b", io.BytesIO(data)))
    assert storage.get("a/b") == data
    assert asyncio.run(storage.get_bytes("a/b")) == data
    assert asyncio.run(_collect(storage, "a/b", 0, len(data))) == data
    assert asyncio.run(_collect(storage, "a/b", 5, 2_000_000)) == data[5:2_000_000]
    assert asyncio.run(_collect(storage, "a/b", 7, 7)) == b""
    info = asyncio.run(storage.stat("a/b"))
    assert info is not None
    assert (info.key, info.size) == ("a/b", len(data))


def test_a_put_replaces_what_was_there(storage: Storage) -> None:
    storage.put("a", b"first, and longer")
    storage.put("a", b"second")
    assert storage.get("a") == b"second"


def test_what_is_not_there_is_not_found_and_no_error_to_delete(storage: Storage) -> None:
    with pytest.raises(ObjectNotFound):
        storage.get("a")
    with pytest.raises(ObjectNotFound):
        asyncio.run(storage.get_bytes("a"))
    with pytest.raises(ObjectNotFound):
        asyncio.run(_collect(storage, "a", 0, 1))
    assert asyncio.run(storage.stat("a")) is None
    storage.delete(["a"])
    asyncio.run(storage.delete_async("a"))


def test_a_put_that_breaks_off_leaves_nothing(storage: Storage) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 2_000_000:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(Exception, match="the disk is gone"):
        asyncio.run(storage.put_stream("a", Broken(b"x" * 5_000_000)))
    assert asyncio.run(storage.stat("a")) is None
    assert list(storage.list("")) in ([], [[]])


def test_a_listing_comes_in_pages(storage: Storage) -> None:
    for number in range(LIST_PAGE + 5):
        storage.put(f"many/{number % 7}/{number}", b"x")
    storage.put("other/1", b"x")
    pages = list(storage.list("many"))
    assert sorted(len(page) for page in pages) == [5, LIST_PAGE]
    keys = {info.key for page in pages for info in page}
    assert keys == {f"many/{number % 7}/{number}" for number in range(LIST_PAGE + 5)}

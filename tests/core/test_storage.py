"""What every storage does: files, a bucket of an S3, chunks in Redis."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.config.load import load_settings
from app.core.config.storage import open_storage
from app.core.storage.buckets import BucketStorage
from app.core.storage.interface import LIST_PAGE, Content, ObjectInfo, ObjectNotFound, Storage
from bench.launch import ROOT
from tests.service import until
from tests.storage import Blocking

LARGE = bytes(range(256)) * 50_000
"""12.8 MB: parts of S3 and chunks of Redis, and a rest."""

SIZES = [0, 1, 255, 256 * 1024 - 64, 256 * 1024 - 63, 512 * 1024, 5 * 1024**2, 5 * 1024**2 + 1]


@pytest.fixture(params=["file", "redis", "s3"])
def opened(
    request: pytest.FixtureRequest,
    no_config: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Blocking[Storage]]:
    """A storage of each kind, opened as a server opens it, with nothing in it."""
    redis_url = None
    if request.param == "file":
        monkeypatch.setenv("TINYIMAGE_STORAGE__URL", f"file://{tmp_path}/made/here")
    elif request.param == "redis":
        redis_url = request.getfixturevalue("redis_url")
        monkeypatch.setenv("TINYIMAGE_STORAGE__URL", "redis://")
    else:
        for name, value in request.getfixturevalue("session_s3").settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TINYIMAGE_STORAGE__URL", f"s3://pictures/{tmp_path.name}")
    with Blocking(open_storage(load_settings(), redis_url)) as opened:
        yield opened


def test_it_can_be_written_and_the_look_leaves_nothing(opened: Blocking[Storage]) -> None:
    opened.check()
    assert opened.keys() == []


@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_comes_back(opened: Blocking[Storage], size: int) -> None:
    data = LARGE[:size]
    opened.put("results/ab/put", data, Content("image/webp", 'attachment; filename="a"'))
    opened.put("originals/ab/streamed", io.BytesIO(data))
    for key in ("results/ab/put", "originals/ab/streamed"):
        assert opened.get(key) == data
        assert opened.read(key, 0, size) == data


def test_a_part_of_a_large_object_comes_back_as_it_was_asked_for(opened: Blocking[Storage]) -> None:
    opened.put("a/b", io.BytesIO(LARGE))
    chunk = 256 * 1024 - 64
    for start, end in [
        (0, 1),
        (5, 2_000_000),
        (chunk - 1, chunk + 1),
        (chunk, 2 * chunk),
        (chunk + 1, 2 * chunk - 1),
        (len(LARGE) - 1, len(LARGE)),
        (7, 7),
    ]:
        assert opened.read("a/b", start, end) == LARGE[start:end], (start, end)


def test_a_stream_begins_where_its_file_stands(opened: Blocking[Storage]) -> None:
    file = io.BytesIO(b"head and rest")
    file.seek(5)
    opened.put("a", file)
    assert opened.get("a") == b"and rest"


def test_it_says_what_is_there(opened: Blocking[Storage]) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # some keep whole seconds
    opened.put("originals/ab/one.0123", io.BytesIO(b"12345"))
    info = opened.run(opened.storage.stat("originals/ab/one.0123"))
    assert info is not None
    assert (info.key, info.size) == ("originals/ab/one.0123", 5)
    assert before < info.modified <= datetime.now(UTC)

    async def pages() -> list[list[ObjectInfo]]:
        return [page async for page in opened.storage.list("originals") if page]

    ((listed,),) = opened.run(pages())
    assert (listed.key, listed.size) == (info.key, info.size)
    assert abs(listed.modified - info.modified) < timedelta(seconds=1)


def test_a_put_replaces_what_was_there(opened: Blocking[Storage]) -> None:
    opened.put("a", LARGE[:600_000])
    opened.put("a", io.BytesIO(b"second"))
    assert opened.get("a") == b"second"
    opened.put("a", b"third")
    assert opened.get("a") == b"third"
    assert opened.keys() == ["a"]


def test_what_is_not_there_is_not_found_and_no_error_to_delete(opened: Blocking[Storage]) -> None:
    with pytest.raises(ObjectNotFound):
        opened.get("a")
    with pytest.raises(ObjectNotFound):
        opened.read("a", 0, 1)
    assert not opened.there("a")
    opened.delete(["a"])
    opened.delete([])


def test_many_are_deleted_and_others_stay(opened: Blocking[Storage]) -> None:
    for number in range(20):
        opened.put(f"results/aa/{number}", b"x")
    opened.delete([f"results/aa/{number}" for number in range(0, 60, 2)])
    assert opened.keys() == sorted(f"results/aa/{number}" for number in range(1, 20, 2))
    opened.delete(["results/aa/1"])
    assert not opened.there("results/aa/1")


def test_a_listing_comes_in_pages_of_a_folder_while_they_are_deleted(
    opened: Blocking[Storage],
) -> None:
    count = LIST_PAGE + 300
    names = {f"many/{number % 7}/{number}" for number in range(count)}

    async def scenario() -> list[str]:
        room = asyncio.Semaphore(8)

        async def put(name: str) -> None:
            async with room:
                await opened.storage.put(name, b"x")

        await asyncio.gather(*map(put, names), put("many-others/1"), put("man"))
        seen = []
        async for page in opened.storage.list("many"):
            assert len(page) <= LIST_PAGE
            seen += [info.key for info in page]
            await opened.storage.delete([info.key for info in page])
        return seen

    seen = opened.run(scenario())
    assert len(seen) == count
    assert set(seen) == names
    assert opened.keys() == ["man", "many-others/1"]


def test_a_put_that_breaks_off_leaves_nothing(opened: Blocking[Storage]) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 6_000_000:
                raise OSError("the disk is gone")
            return super().read(size)

    with pytest.raises(Exception, match=r"disk is gone|storage fails"):
        opened.put("a", Broken(LARGE))
    assert not opened.there("a")
    assert opened.keys() == []


def test_a_put_that_is_cancelled_leaves_nothing(opened: Blocking[Storage]) -> None:
    """Or all, where Python's own wait_for has swallowed the cancellation (before 3.12)."""

    async def cancelled() -> bool:
        class Slow(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() > 5_500_000:
                    loop.call_soon_threadsafe(task.cancel)
                return super().read(size)

        loop = asyncio.get_running_loop()
        task = asyncio.create_task(opened.storage.put("a", Slow(LARGE)))
        await asyncio.wait([task])
        return task.cancelled()

    if opened.run(cancelled()):
        # A thread cannot be stopped: it takes back what it has done at its next step.
        until(lambda: not opened.there("a"))
        assert opened.keys() == []
    else:
        assert sys.version_info < (3, 12)
        assert opened.get("a") == LARGE


STUCK = """
import asyncio, io, sys, time
from app.core.config.load import load_settings
from app.core.config.storage import open_storage

class Stuck(io.BytesIO):
    def read(self, size=-1):
        if self.tell() > 6_000_000:
            print("stuck", flush=True)
            time.sleep(600)
        return super().read(size)

storage = open_storage(load_settings(), sys.argv[1])
asyncio.run(storage.put("a", Stuck(bytes(12_000_000))))
"""


def test_a_writer_that_is_killed_leaves_no_object(
    opened: Blocking[Storage], request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("redis_url")
    command = [sys.executable, "-c", STUCK, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"stuck\n"
        writer.kill()
    assert not opened.there("a")
    assert opened.keys() == []
    opened.put("a", io.BytesIO(b"another"))
    assert opened.get("a") == b"another"


def test_a_reader_sees_one_version_or_the_other_and_never_both(opened: Blocking[Storage]) -> None:
    """Both are larger than a part of their kind."""
    versions = [b"a" * 1_200_000, b"b" * 1_000_000]
    if isinstance(opened.storage, BucketStorage):
        # The S3 of the tests reads an object's size and then its bytes, which real ones do at once.
        versions = [b"a" * 7_000_000, b"b" * 7_000_000]
    opened.put("a", versions[0])

    async def scenario() -> None:
        seen_both = asyncio.Event()

        async def write() -> None:
            for version in itertools.cycle(reversed(versions)):
                await opened.storage.put("a", version)
                if seen_both.is_set():
                    return

        writing = asyncio.create_task(write())
        seen: set[bytes] = set()
        reads = itertools.count()
        try:
            while len(seen) < len(versions) or not next(reads) > 5:
                assert not writing.done()
                try:
                    data = await opened.storage.get("a")
                except Exception as error:  # replaced under its reader
                    assert "just been deleted" in str(error)  # noqa: PT017
                    continue
                assert data in versions
                seen.add(data[:1])
        finally:
            seen_both.set()
            await writing

    opened.run(scenario())
    assert opened.get("a") in versions


def test_many_write_and_read_at_once(opened: Blocking[Storage]) -> None:
    async def one(number: int) -> bool:
        data = os.urandom(400_000)
        await opened.storage.put(f"originals/{number}", io.BytesIO(data))
        parts = [p async for p in opened.storage.stream(f"originals/{number}", 0, len(data))]
        return b"".join(parts) == data

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*(one(number) for number in range(60)))

    assert opened.run(all_of_them()) == [True] * 60
    assert len(opened.keys("originals")) == 60

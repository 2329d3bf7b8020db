"""Originals and results: put, get, stat, delete, list."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore

from app.core.errors import StorageError, StorageFull

PART_SIZE = 512 * 1024
"""Bytes held in memory while an object is written or read as a stream."""

LIST_PAGE = 1000
"""Objects in one page of a listing; what S3 gives at most."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_OS_ERROR = re.compile(r"\(os error (\d+)\)")
_STAGED = re.compile(r".+#\d+")
"""LocalStore puts a file of such a name beside the object's, and renames it when it is whole."""


class ObjectNotFound(Exception):
    """There is no object of this key."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What the storage knows of an object."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """When it was put, with a time zone."""


class Storage:
    """Objects by key. A put is atomic and lasts: a reader sees all of an object or none of it, and
    once it has returned the object outlives a loss of power.

    Every call raises StorageError if the storage fails, StorageFull if there is no room.
    """

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        """
        Args:
            folder: where the objects are files; None if they are not.
        """
        self._store = store
        self._folder = folder
        self._synced: set[Path] = set()

    @classmethod
    def local(cls, folder: Path) -> Storage:
        """A storage of files below `folder`, which is made if it is not there."""
        folder = folder.absolute()
        return cls(LocalStore(prefix=folder, mkdir=True), folder)

    def put(self, key: str, data: bytes | bytearray) -> None:
        """Keep `data` as the object `key`, in place of one that is there."""
        with _typed():
            obstore.put(self._store, key, data)
            self._sync(key)

    async def put_stream(self, key: str, file: IO[bytes]) -> None:
        """Keep what is left of `file` as the object `key`, a part at a time."""
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        with _typed():
            if size <= PART_SIZE:
                await obstore.put_async(self._store, key, file.read())
            else:
                await obstore.put_async(
                    self._store, key, file, chunk_size=PART_SIZE, max_concurrency=1
                )
            await asyncio.to_thread(self._sync, key)

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFound: if it is not there.
        """
        with _typed(key):
            return bytes(obstore.get(self._store, key).bytes())

    async def get_bytes(self, key: str) -> bytes:
        """The whole object, as `get`."""
        with _typed(key):
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())

    async def get_stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The object's bytes from `start` up to, without, `end`, a part at a time.

        Raises:
            ObjectNotFound: if it is not there, before the first part.
        """
        if start == end:
            return
        with _typed(key):
            result = await obstore.get_async(self._store, key, options={"range": (start, end)})
        async for part in result.stream(min_chunk_size=PART_SIZE // 2):
            yield bytes(part)

    async def stat(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if it is not there."""
        try:
            with _typed(key):
                meta = await obstore.head_async(self._store, key)
        except ObjectNotFound:
            return None
        return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; one that is not there is no error."""
        for key in keys:
            with contextlib.suppress(ObjectNotFound), _typed(key):
                obstore.delete(self._store, key)

    async def delete_async(self, key: str) -> None:
        """Delete the object; one that is not there is no error."""
        with contextlib.suppress(ObjectNotFound), _typed(key):
            await obstore.delete_async(self._store, key)

    def list(self, prefix: str) -> Iterator[list[ObjectInfo]]:
        """All objects below `prefix`, in pages of at most `LIST_PAGE`, in no order."""
        with _typed():
            for page in obstore.list(self._store, prefix, chunk_size=LIST_PAGE):
                yield [ObjectInfo(m["path"], m["size"], m["last_modified"]) for m in page]

    def delete_staged(self, seconds: float) -> tuple[int, int]:
        """Delete what writers have left that were killed, not written to for `seconds`.

        Returns:
            how many files, and their bytes.
        """
        count = freed = 0
        if self._folder is None:
            return count, freed
        oldest = time.time() - seconds
        with _typed():
            for folder, _, names in os.walk(self._folder):
                for path in (Path(folder, name) for name in names if _STAGED.fullmatch(name)):
                    with contextlib.suppress(FileNotFoundError):
                        found = path.stat()
                        if found.st_mtime < oldest:
                            path.unlink()
                            count, freed = count + 1, freed + found.st_size
        return count, freed

    def _sync(self, key: str) -> None:
        """Bring the object to the disk; LocalStore leaves that to the kernel, half a minute later.

        Nobody knows of the object yet, so it may come after the rename.
        """
        if self._folder is None:
            return
        path = self._folder / key
        _fsync(path)
        _fsync(path.parent)
        # The folders above get an entry only when this one is made.
        if path.parent not in self._synced:
            above = path.parent
            while above != self._folder:
                above = above.parent
                _fsync(above)
            self._synced.add(path.parent)


def _fsync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextlib.contextmanager
def _typed(key: str | None = None) -> Iterator[None]:
    """Raise what the storage raises as ours.

    Args:
        key: of the object that may well not be there; without one its absence is a failure.
    """
    try:
        yield
    except (NotFoundError, FileNotFoundError) as error:
        if key is None:
            raise as_storage_error(error) from error
        raise ObjectNotFound(key) from None
    except (BaseError, OSError) as error:
        raise as_storage_error(error) from error


def as_storage_error(error: Exception) -> StorageError:
    """The error of ours for one of obstore's or the system's. The cause is for the log: what it
    names is the server's own."""
    number = error.errno if isinstance(error, OSError) else None
    # obstore has no attribute for it.
    if number is None and (match := _OS_ERROR.search(str(error))):
        number = int(match[1])
    if number in _FULL:
        return StorageFull("The storage is full")
    reason = os.strerror(number) if number is not None else str(error).split("\n", 1)[0]
    return StorageError(f"The storage fails: {reason}")

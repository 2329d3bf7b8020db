"""The interface of a storage, and optional abilities."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Protocol, runtime_checkable

PART_SIZE = 512 * 1024
"""Bytes held in memory while an object is read as a stream, or written as one to a file."""

LIST_PAGE = 1000
"""Objects in one page of a listing: the maximum of S3."""

START_CHECK = "health/check"
"""The storage key of an object that is written and deleted as a process starts. One for all: the
next process deletes the leftover of one that was killed between the two."""

PROBE = "health/probe"
"""The storage key of a small object that is written and read as a probe."""


class ObjectNotFound(Exception):
    """There is no object of this key."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """The metadata of an object in the storage."""

    key: str
    size: int
    """Bytes."""
    modified: datetime
    """When it was put, with a time zone."""


@dataclass(frozen=True, slots=True)
class Content:
    """The headers of an object, for a storage that serves it by itself."""

    media_type: str
    disposition: str
    """The Content-Disposition."""


class Storage(Protocol):
    """Objects by key. A put is atomic: a reader sees all of an object or none of it, also if the
    writer is cancelled or killed.

    Every call raises StorageError if the storage fails, StorageFull if there is no room. All are
    for one event loop, which ends with `close`; what may block runs in a thread.
    """

    async def check(self) -> None:
        """Check at the start that objects can be written.

        Raises:
            StorageError: if not; its message is one line with the reason.
        """

    async def put(
        self, key: str, data: bytes | bytearray | IO[bytes], content: Content | None = None
    ) -> None:
        """Store `data` as the object `key`, in place of an existing one; of a file the rest, a part
        at a time."""

    async def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFound: if it is not there.
        """

    def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The object's bytes from `start` up to, without, `end`, a part at a time.

        Raises:
            ObjectNotFound: if it is missing, before the first part.
        """

    async def stat(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if it is not there."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; a missing one is not an error."""

    def list(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        """All objects below the folder `prefix`, or all for "", in pages of at most `LIST_PAGE`, in
        any order. Listed objects may be deleted meanwhile."""

    async def delete_staged(self, seconds: float) -> tuple[int, int]:
        """Delete incomplete objects of killed writers, not written to for `seconds`.

        Returns:
            how many objects, and their bytes.
        """

    async def close(self) -> None:
        """Close all connections."""


class StoredObject(Protocol):
    """An object that is being read."""

    @property
    def info(self) -> ObjectInfo:
        """What is known of it."""

    def stream(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes from `start` up to, without, `end`, a part at a time.

        Raises:
            ObjectNotFound: if it is not there any more, before the first part.
        """

    def close(self) -> None:
        """Release its resources."""


@runtime_checkable
class Opener(Protocol):
    """A storage that can hold an object open: its metadata belong to the bytes that are read, and
    these can be read to the end even if it is deleted or replaced meanwhile."""

    def open(self, key: str) -> StoredObject:
        """The object.

        Raises:
            ObjectNotFound: if it is not there.
        """


@runtime_checkable
class Threaded(Protocol):
    """A storage whose `get` and `put` wait for nothing but functions in threads: a process that
    blocks can run them at once (`Bridge.run_at_once`)."""

    in_threads: bool


@runtime_checkable
class Presigner(Protocol):
    """A storage that serves objects by itself, under URLs that it has signed."""

    async def presign(self, method: str, key: str, seconds: int) -> str:
        """The URL under which the object can be read with `method` for some seconds.

        Args:
            method: GET or HEAD.
        """


@runtime_checkable
class Expiring(Protocol):
    """A storage whose objects expire, even without a cleanup: an original when no job can wait for
    it any more, all others some time after a job can have ended."""

    async def expire(self, key: str) -> None:
        """Let the original expire like the others: no job waits for it any more."""


def bytes_left(file: IO[bytes]) -> int:
    """The number of bytes from the position of `file` to its end."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    return size


def as_file(data: bytes | bytearray | IO[bytes]) -> IO[bytes]:
    """The data of a put, as a file."""
    return io.BytesIO(data) if isinstance(data, bytes | bytearray) else data

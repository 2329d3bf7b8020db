"""What a storage is, and what some can do beside it."""

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
"""Objects in one page of a listing; what S3 gives at most."""

START_CHECK = "health/check"
"""The storage key of an object that is written and deleted as a process starts. One for all: what
a process leaves that is killed between the two, the next one deletes."""

PROBE = "health/probe"
"""The storage key of a small object that is written and read to see whether that works."""


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


@dataclass(frozen=True, slots=True)
class Content:
    """What an object is, for a storage that hands it out by itself."""

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
        """Return if objects can be written here; for the start.

        Raises:
            StorageError: if not; its message is one line that says what is wrong with what.
        """

    async def put(
        self, key: str, data: bytes | bytearray | IO[bytes], content: Content | None = None
    ) -> None:
        """Keep `data` as the object `key`, in place of one that is there. Of a file what is left of
        it, a part at a time."""

    async def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFound: if it is not there.
        """

    def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The object's bytes from `start` up to, without, `end`, a part at a time.

        Raises:
            ObjectNotFound: if it is not there, before the first part.
        """

    async def stat(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if it is not there."""

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; one that is not there is no error."""

    def list(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        """All objects below the folder `prefix`, or all for "", in pages of at most `LIST_PAGE`, in
        no order. Those of pages that have come may be deleted meanwhile."""

    async def delete_staged(self, seconds: float) -> tuple[int, int]:
        """Delete what writers have left that were killed, not written to for `seconds`.

        Returns:
            how many objects, and their bytes.
        """

    async def close(self) -> None:
        """Close what connections there are."""


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
        """Give back what is held for it."""


@runtime_checkable
class Opener(Protocol):
    """A storage that holds an object open: what is known of it is that of the bytes that are read,
    and they can be read to their end when it is deleted or replaced meanwhile."""

    def open(self, key: str) -> StoredObject:
        """The object.

        Raises:
            ObjectNotFound: if it is not there.
        """


@runtime_checkable
class Presigner(Protocol):
    """A storage that hands out objects by itself, to who has a URL that it has signed."""

    async def presign(self, method: str, key: str, seconds: int) -> str:
        """The URL under which the object can be read with `method` for some seconds.

        Args:
            method: GET or HEAD.
        """


@runtime_checkable
class Expiring(Protocol):
    """A storage whose objects go by themselves, also where no cleanup runs: an original when no job
    can wait for it any more, all others some time after a job can have ended."""

    async def expire(self, key: str) -> None:
        """Have the original go as the others: nothing waits for it any more."""


def bytes_left(file: IO[bytes]) -> int:
    """How many bytes there are from where `file` stands to its end."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    return size


def as_file(data: bytes | bytearray | IO[bytes]) -> IO[bytes]:
    """What is put, as a file."""
    return io.BytesIO(data) if isinstance(data, bytes | bytearray) else data

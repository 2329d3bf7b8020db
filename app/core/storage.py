"""Originals and results: put, get, stat, delete, list."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore

PART_SIZE = 512 * 1024
"""Bytes held in memory while an object is written or read as a stream."""

LIST_PAGE = 1000
"""Objects in one page of a listing; what S3 gives at most."""


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
    """Objects by key. A put is atomic: a reader sees all of an object or none of it."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def local(cls, folder: Path) -> Storage:
        """A storage of files below `folder`, which is made if it is not there."""
        return cls(LocalStore(prefix=folder.absolute(), mkdir=True))

    def put(self, key: str, data: bytes | bytearray) -> None:
        """Keep `data` as the object `key`, in place of one that is there."""
        obstore.put(self._store, key, data)

    async def put_stream(self, key: str, file: IO[bytes]) -> None:
        """Keep what is left of `file` as the object `key`, a part at a time."""
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
        if size <= PART_SIZE:
            await obstore.put_async(self._store, key, file.read())
            return
        await obstore.put_async(self._store, key, file, chunk_size=PART_SIZE, max_concurrency=1)

    def get(self, key: str) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFound: if it is not there.
        """
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            raise ObjectNotFound(key) from None

    async def get_bytes(self, key: str) -> bytes:
        """The whole object, as `get`."""
        try:
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())
        except (NotFoundError, FileNotFoundError):
            raise ObjectNotFound(key) from None

    async def get_stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The object's bytes from `start` up to, without, `end`, a part at a time.

        Raises:
            ObjectNotFound: if it is not there, before the first part.
        """
        if start == end:
            return
        try:
            result = await obstore.get_async(self._store, key, options={"range": (start, end)})
        except (NotFoundError, FileNotFoundError):
            raise ObjectNotFound(key) from None
        async for part in result.stream(min_chunk_size=PART_SIZE // 2):
            yield bytes(part)

    async def stat(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if it is not there."""
        try:
            meta = await obstore.head_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return None
        return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects; one that is not there is no error."""
        for key in keys:
            try:
                obstore.delete(self._store, key)
            except (NotFoundError, FileNotFoundError):
                continue

    async def delete_async(self, key: str) -> None:
        """Delete the object; one that is not there is no error."""
        try:
            await obstore.delete_async(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return

    def list(self, prefix: str) -> Iterator[list[ObjectInfo]]:
        """All objects below `prefix`, in pages of at most `LIST_PAGE`, in no order."""
        for page in obstore.list(self._store, prefix, chunk_size=LIST_PAGE):
            yield [ObjectInfo(m["path"], m["size"], m["last_modified"]) for m in page]

"""What files and buckets have in common: obstore does the work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import IO, TYPE_CHECKING

import obstore
from obstore.store import ObjectStore

from app.core.storage.errors import typed
from app.core.storage.interface import (
    LIST_PAGE,
    PART_SIZE,
    Content,
    ObjectInfo,
    ObjectNotFound,
)

if TYPE_CHECKING:
    from obstore import Attributes


class ObstoreStorage:
    """A Storage, but for what is different with each kind of store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def put(self, key: str, data: bytes | bytearray, content: Content | None = None) -> None:
        with typed():
            obstore.put(self._store, key, data, attributes=self._attributes(content))

    def get(self, key: str) -> bytes:
        with typed(key):
            return bytes(obstore.get(self._store, key).bytes())

    async def get_bytes(self, key: str) -> bytes:
        with typed(key):
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())

    async def get_stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if start == end:
            return
        with typed(key):
            result = await obstore.get_async(self._store, key, options={"range": (start, end)})
        with typed():
            async for part in result.stream(min_chunk_size=PART_SIZE // 2):
                yield bytes(part)

    async def stat(self, key: str) -> ObjectInfo | None:
        try:
            with typed(key):
                meta = await obstore.head_async(self._store, key)
        except ObjectNotFound:
            return None
        return ObjectInfo(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(ObjectNotFound), typed(key):
                obstore.delete(self._store, key)

    async def delete_async(self, key: str) -> None:
        with contextlib.suppress(ObjectNotFound), typed(key):
            await obstore.delete_async(self._store, key)

    def list(self, prefix: str) -> Iterator[list[ObjectInfo]]:
        with typed():
            for page in obstore.list(self._store, prefix, chunk_size=LIST_PAGE):
                yield [ObjectInfo(m["path"], m["size"], m["last_modified"]) for m in page]

    def delete_staged(self, seconds: float) -> tuple[int, int]:
        return 0, 0

    async def close(self) -> None:
        pass

    def _attributes(self, content: Content | None) -> Attributes | None:
        return None


def bytes_left(file: IO[bytes]) -> int:
    """How many bytes there are from where `file` stands to its end."""
    start = file.tell()
    size = file.seek(0, os.SEEK_END) - start
    file.seek(start)
    return size

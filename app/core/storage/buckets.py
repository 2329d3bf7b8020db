"""Objects in a bucket of S3, of Google Cloud Storage, or of Azure, which calls it a container."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import IO, TYPE_CHECKING

import obstore
from obstore.store import AzureStore, GCSStore, S3Store

from app.core.errors import StorageError, StorageFull
from app.core.storage.errors import typed
from app.core.storage.interface import (
    LIST_PAGE,
    PART_SIZE,
    START_CHECK,
    Content,
    ObjectInfo,
    ObjectNotFound,
    bytes_left,
)
from app.core.storage.listing import listed

if TYPE_CHECKING:
    from obstore import Attributes

UPLOAD_PART_SIZE = 5 * 1024 * 1024
"""Bytes of one part of a larger object, which is held in memory: the least that S3 takes (Amazon S3
User Guide, "Multipart upload limits")."""

UPLOADS = 4
"""Objects that a process sends to the bucket at once; it bounds the memory of their parts."""

DELETIONS = 10
"""Objects deleted at once where they go one by one, as obstore has it."""


class BucketStorage:
    """A Storage in a bucket, which can sign URLs. An object is there when its last part is."""

    def __init__(self, store: S3Store | GCSStore | AzureStore, name: str) -> None:
        """
        Args:
            name: its name in messages; its URL without any secret.
        """
        self._store = store
        self._name = name
        self._uploads = asyncio.Semaphore(UPLOADS)

    async def check(self) -> None:
        """Also that it can be listed: without that right S3 answers 403 in place of 404."""
        try:
            await self.put(START_CHECK, b"")
            async for _ in self.list("health"):
                break
            await self.delete([START_CHECK])
        except StorageFull:
            return  # existing objects can be served, and deleted
        except StorageError as error:
            raise StorageError(
                f"the storage {self._name} cannot be used: {error.__cause__}"
            ) from None

    async def put(
        self, key: str, data: bytes | bytearray | IO[bytes], content: Content | None = None
    ) -> None:
        attributes = _attributes(content)
        async with self._uploads:
            with typed():
                if not isinstance(data, bytes | bytearray):
                    if bytes_left(data) > UPLOAD_PART_SIZE:
                        await obstore.put_async(
                            self._store,
                            key,
                            data,
                            attributes=attributes,
                            chunk_size=UPLOAD_PART_SIZE,
                            max_concurrency=1,
                        )
                        return
                    data = await asyncio.to_thread(data.read)
                await obstore.put_async(self._store, key, data, attributes=attributes)

    async def get(self, key: str) -> bytes:
        with typed(key):
            result = await obstore.get_async(self._store, key)
            return bytes(await result.bytes_async())

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
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

    async def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), LIST_PAGE):
            page = keys[start : start + LIST_PAGE]
            if len(page) > 1:
                try:
                    with typed(page[0]):
                        await obstore.delete_async(self._store, page)
                    continue
                except (ObjectNotFound, StorageError):
                    # One was not there, which S3 does not mind, or it takes no batches of this
                    # size. The state of the others is unknown.
                    pass
            await self._delete_one_by_one(page)

    def list(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        return listed(self._store, prefix)

    async def delete_staged(self, seconds: float) -> tuple[int, int]:
        return 0, 0

    async def close(self) -> None:
        pass

    async def presign(self, method: str, key: str, seconds: int) -> str:
        with typed():
            return await obstore.sign_async(
                self._store, "HEAD" if method == "HEAD" else "GET", key, timedelta(seconds=seconds)
            )

    async def _delete_one_by_one(self, keys: Sequence[str]) -> None:
        room = asyncio.Semaphore(DELETIONS)

        async def delete(key: str) -> None:
            async with room:
                with contextlib.suppress(ObjectNotFound), typed(key):
                    await obstore.delete_async(self._store, key)

        await asyncio.gather(*map(delete, keys))


def _attributes(content: Content | None) -> Attributes | None:
    if content is None:
        return None
    return {
        "Content-Type": content.media_type,
        "Content-Disposition": content.disposition,
    }

"""Objects in a bucket of S3, of Google Cloud Storage, or of Azure, which calls it a container."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import IO, TYPE_CHECKING

import obstore
from obstore.store import AzureStore, GCSStore, S3Store

from app.core.errors import StorageError, StorageFull
from app.core.storage.errors import typed
from app.core.storage.interface import LIST_PAGE, START_CHECK, Content, ObjectNotFound
from app.core.storage.obstores import ObstoreStorage, bytes_left

if TYPE_CHECKING:
    from obstore import Attributes

UPLOAD_PART_SIZE = 5 * 1024 * 1024
"""Bytes of one part of a larger object, which is held in memory: the least that S3 takes (Amazon S3
User Guide, "Multipart upload limits")."""

UPLOADS = 4
"""Objects that a process sends to the bucket at once; it bounds the memory of their parts."""

DELETIONS = 10
"""Objects deleted at once where they go one by one, as obstore has it."""


class BucketStorage(ObstoreStorage):
    """A Storage in a bucket, which can sign URLs. An object is there when its last part is."""

    def __init__(self, store: S3Store | GCSStore | AzureStore, name: str) -> None:
        """
        Args:
            name: what it is called in messages; its URL without any secret.
        """
        super().__init__(store)
        self._bucket = store
        self._name = name
        self._uploads = asyncio.Semaphore(UPLOADS)

    def check(self) -> None:
        """Also that it can be listed: S3 says 403 in place of 404 to who may not."""
        try:
            self.put(START_CHECK, b"")
            for _ in self.list("health"):
                break
            self.delete([START_CHECK])
        except StorageFull:
            return  # what is there can be handed out, and deleted
        except StorageError as error:
            raise StorageError(
                f"the storage {self._name} cannot be used: {error.__cause__}"
            ) from None

    async def put_stream(self, key: str, file: IO[bytes]) -> None:
        async with self._uploads:
            with typed():
                if bytes_left(file) <= UPLOAD_PART_SIZE:
                    data = await asyncio.to_thread(file.read)
                    await obstore.put_async(self._store, key, data)
                else:
                    await obstore.put_async(
                        self._store, key, file, chunk_size=UPLOAD_PART_SIZE, max_concurrency=1
                    )

    def delete(self, keys: Sequence[str]) -> None:
        for start in range(0, len(keys), LIST_PAGE):
            page = keys[start : start + LIST_PAGE]
            try:
                with typed(page[0]):
                    obstore.delete(self._store, page)
            except (ObjectNotFound, StorageError):
                # One was not there, which S3 does not mind, or it takes no batches of this size.
                # What of the others, nobody knows.
                with ThreadPoolExecutor(DELETIONS) as pool:
                    list(pool.map(lambda key: super(BucketStorage, self).delete([key]), page))

    async def presign(self, method: str, key: str, seconds: int) -> str:
        with typed():
            return await obstore.sign_async(
                self._bucket, "HEAD" if method == "HEAD" else "GET", key, timedelta(seconds=seconds)
            )

    def _attributes(self, content: Content | None) -> Attributes | None:
        if content is None:
            return None
        return {
            "Content-Type": content.media_type,
            "Content-Disposition": content.disposition,
        }

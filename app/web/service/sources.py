"""Uploads that are converted again and again, and the ids under which clients ask for that."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import tempfile

from app.core.errors import NotFound
from app.core.picture import paths
from app.core.picture.retention import shared_seconds
from app.core.redis.client import FailFastRedis
from app.core.storage.errors import as_storage_error
from app.core.storage.interface import ObjectNotFound, Storage
from app.intake.picture import Picture
from app.web.service import outputs
from app.web.service.fetches import Fetches
from app.web.service.outputs import Output, Source
from app.web.service.spooling import SPOOL_MEMORY

FILENAME = "picture"
"""The name of a picture that came without one."""


class Sources:
    """Keeps uploads for `max_age`, whatever becomes of their jobs. The cleanup deletes them by
    their age."""

    def __init__(
        self, redis: FailFastRedis, storage: Storage, fetches: Fetches, max_age_seconds: float
    ) -> None:
        self._redis = redis
        self._fetches = fetches
        self._storage = storage
        self._max_age = max_age_seconds

    async def keep(self, picture: Picture, media_type: str) -> Source:
        """Keep the upload. Several of the same bytes that come one soon after the other are kept
        once.

        Raises:
            StorageError: if it cannot be stored.
            RedisError: if Redis cannot be reached.
        """
        key = await self._shared(picture.md5) or await self._put(picture)
        return Source(key, picture.md5, picture.size, media_type)

    async def fetch(self, url: str) -> Picture:
        """The file at this URL.

        Raises:
            SourceNotFound: if there is none, and why, for the client.
            Unavailable: if no worker could fetch it.
            StorageError: if it cannot be read.
            RedisError: if Redis cannot be reached.
        """
        key = paths.fetched(secrets.token_hex(16))
        size = await self._fetches.fetch(url, key)
        # What is not taken goes by itself.
        picture = await self._read(key, size)
        await self._storage.delete([key])
        return picture

    async def load(self, source: Source) -> Picture:
        """The upload as it came in.

        Raises:
            NotFound: if it is gone.
            StorageError: if it cannot be read.
        """
        return await self._read(source.key, source.size)

    async def _read(self, key: str, size: int) -> Picture:
        md5 = hashlib.md5(usedforsecurity=False)
        with contextlib.ExitStack() as held:
            file = held.enter_context(tempfile.SpooledTemporaryFile(SPOOL_MEMORY))
            try:
                async for part in self._storage.stream(key, 0, size):
                    md5.update(part)
                    file.write(part)
            except ObjectNotFound:
                raise NotFound("The picture is gone") from None
            except OSError as error:  # of the spool
                raise as_storage_error(error) from error
            held.pop_all()
        return Picture(file, md5.hexdigest(), size, FILENAME)

    async def remember(self, output: Output) -> str:
        """A new id that stands for the output, for `max_age`.

        Raises:
            RedisError: if Redis cannot be reached.
        """
        id = outputs.new_id()
        await self._redis.ask(outputs.keep(id, output, int(self._max_age)))
        return id

    async def recall(self, id: str) -> Output:
        """What the id stands for.

        Raises:
            NotFound: if that is not known, or no longer.
            RedisError: if Redis cannot be reached.
        """
        output = await self._redis.ask(outputs.look_up(id)) if outputs.is_id(id) else None
        if output is None:
            raise NotFound("There is no such output")
        return output

    async def _shared(self, md5: str) -> str | None:
        key = await self._redis.ask(outputs.shared_source(md5))
        if key is None or await self._storage.stat(key):
            return key
        await self._redis.ask(outputs.unshare_source(md5))
        return None

    async def _put(self, picture: Picture) -> str:
        key = paths.source(picture.md5, secrets.token_hex(8))
        picture.file.seek(0)
        await self._storage.put(key, picture.file)
        # What is cut off from here on leaves an object that the cleanup deletes in its time.
        seconds = shared_seconds(self._max_age)
        shared = await self._redis.ask(outputs.share_source(picture.md5, key, seconds))
        if shared != key:  # another one of the same bytes was first
            await self._storage.delete([key])
        return shared

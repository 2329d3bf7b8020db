"""Objects as files of a folder."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO

import obstore
from obstore.store import LocalStore

from app.core.errors import StorageError
from app.core.storage.errors import typed
from app.core.storage.interface import PART_SIZE, Content, ObjectInfo, ObjectNotFound
from app.core.storage.obstores import ObstoreStorage, bytes_left
from app.core.storage.opened import OpenedFile, info_of, path_of

_STAGED = re.compile(r".+#\d+")
"""LocalStore puts a file of such a name beside the object's, and renames it when it is whole."""


class FileStorage(ObstoreStorage):
    """A Storage of files. Once a put has returned the object outlives a loss of power."""

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: is made if it is not there.

        Raises:
            StorageError: if it cannot be made.
        """
        self._folder = folder.absolute()
        with typed():
            super().__init__(LocalStore(prefix=self._folder, mkdir=True))
        self._synced: set[Path] = set()

    def check(self) -> None:
        try:
            with tempfile.TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise StorageError(
                f"the output folder {self._folder} cannot be written: {error.strerror}"
            ) from None

    def put(self, key: str, data: bytes | bytearray, content: Content | None = None) -> None:
        super().put(key, data)
        with typed():
            self._sync(key)

    async def put_stream(self, key: str, file: IO[bytes]) -> None:
        with typed():
            if bytes_left(file) <= PART_SIZE:
                await obstore.put_async(self._store, key, file.read())
            else:
                await obstore.put_async(
                    self._store, key, file, chunk_size=PART_SIZE, max_concurrency=1
                )
            await asyncio.to_thread(self._sync, key)

    async def get_bytes(self, key: str) -> bytes:
        with contextlib.closing(self.open(key)) as file:
            return b"".join([piece async for piece in file.stream(0, file.info.size)])

    async def get_stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        with contextlib.closing(self.open(key)) as file:
            async for piece in file.stream(start, min(end, file.info.size)):
                yield piece

    async def stat(self, key: str) -> ObjectInfo | None:
        # A look at a local folder takes microseconds, a thread for it far longer.
        try:
            with typed(key):
                return info_of(key, os.lstat(path_of(self._folder, key)))
        except ObjectNotFound:
            return None

    def open(self, key: str) -> OpenedFile:
        return OpenedFile(self._folder, key)

    def delete_staged(self, seconds: float) -> tuple[int, int]:
        count = freed = 0
        oldest = time.time() - seconds
        with typed():
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

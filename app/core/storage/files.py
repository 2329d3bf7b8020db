"""Objects as files of a folder."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import random
import re
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from threading import Event
from typing import IO

from obstore.store import LocalStore

from app.core.errors import StorageError
from app.core.storage.errors import typed
from app.core.storage.interface import PART_SIZE, Content, ObjectInfo, ObjectNotFound, as_file
from app.core.storage.listing import listed
from app.core.storage.opened import OpenedFile, info_of, path_of

_STAGED = re.compile(r".+#\d+")
"""The name of an incomplete file beside the object's; LocalStore uses such names too, and never
lists them."""

_SHARD = re.compile(r"[0-9a-f]{2}")
"""The name of one of the 256 folders that the objects of a kind are spread over, by the first
digits of an MD5 (`app/core/picture/paths.py`)."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class FileStorage:
    """A Storage of files. Once a put has returned the object outlives a loss of power."""

    in_threads = True

    def __init__(self, folder: Path) -> None:
        """
        Args:
            folder: is made if it is missing.

        Raises:
            StorageError: if it cannot be made.
        """
        self._folder = folder.absolute()
        with typed():
            self._store = LocalStore(prefix=self._folder, mkdir=True)
        self._synced: set[str] = set()

    async def check(self) -> None:
        try:
            await asyncio.to_thread(self._check)
        except OSError as error:
            raise StorageError(
                f"the output folder {self._folder} cannot be written: {error.strerror}"
            ) from None

    async def put(
        self, key: str, data: bytes | bytearray | IO[bytes], content: Content | None = None
    ) -> None:
        given_up = Event()
        with typed():
            try:
                await asyncio.to_thread(self._write, key, as_file(data), given_up)
            except asyncio.CancelledError:
                given_up.set()
                raise

    async def get(self, key: str) -> bytes:
        with typed(key):
            return await asyncio.to_thread(_read, path_of(self._folder, key))

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
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

    async def delete(self, keys: Sequence[str]) -> None:
        with typed():
            await asyncio.to_thread(self._delete, keys)

    def list(self, prefix: str) -> AsyncIterator[list[ObjectInfo]]:
        return listed(self._store, prefix)

    async def delete_staged(self, seconds: float) -> tuple[int, int]:
        with typed():
            return await asyncio.to_thread(self._delete_staged, time.time() - seconds)

    async def close(self) -> None:
        pass

    def _check(self) -> None:
        with tempfile.TemporaryFile(dir=self._folder):
            pass

    def _delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            with contextlib.suppress(FileNotFoundError, ObjectNotFound):
                Path(path_of(self._folder, key)).unlink()

    def _delete_staged(self, oldest: float) -> tuple[int, int]:
        """Files that were last written before the time `oldest`."""
        count = freed = 0
        for folder, _, names in os.walk(self._folder):
            for path in (Path(folder, name) for name in names if _STAGED.fullmatch(name)):
                with contextlib.suppress(FileNotFoundError):
                    found = path.stat()
                    if found.st_mtime < oldest:
                        path.unlink()
                        count, freed = count + 1, freed + found.st_size
        return count, freed

    def _write(self, key: str, file: IO[bytes], given_up: Event) -> None:
        """Keep what is left of `file` on the disk, unless nobody waits for it any more.

        A new object gets its name as soon as it is complete, and is synced then: file systems with
        a journal write content and name in one commit, which is what a put waits for. Nobody relies
        on it before this returns; after a loss of power meanwhile it may be empty. An object that
        is replaced stays until the new one is on the disk.
        """
        path = f"{self._folder}/{key}"
        folder = path.rpartition("/")[0]
        # Each call of the system may let another thread run first: there are as few as can be.
        place = staged = f"{path}#{random.getrandbits(63)}"
        try:
            try:
                target = os.open(staged, _NEW, 0o666)
            except FileNotFoundError:
                self._make(folder)
                target = os.open(staged, _NEW, 0o666)
            try:
                if type(file) is io.BytesIO:  # as most: at once, and without a copy
                    _write_all(target, memoryview(file.getvalue())[file.tell() :])
                else:
                    while piece := file.read(PART_SIZE):
                        _go_on(given_up)
                        _write_all(target, piece)
                if not os.path.lexists(path):
                    _go_on(given_up)
                    os.rename(staged, path)  # noqa: PTH104 - a Path takes longer than the call
                    place = path
                os.fsync(target)
            finally:
                os.close(target)
            _go_on(given_up)
            if place == staged:
                Path(staged).rename(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(place).unlink()
            raise
        self._sync_names(folder)

    def _make(self, folder: str) -> None:
        """Make a folder, and all of those beside it that will be needed: the names of those that
        are there already are synced once for all, and not each with its first object."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        above, _, name = folder.rpartition("/")
        if _SHARD.fullmatch(name):
            with contextlib.suppress(OSError):  # the disk may be full; each can be made later
                for number in range(256):
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(f"{above}/{number:02x}")  # noqa: PTH102 - 255 of them

    def _sync_names(self, folder: str) -> None:
        """Bring the names of a folder to the disk, and its own."""
        _fsync(folder)
        # The folders above get an entry only when this one is made.
        if folder in self._synced:
            return
        above, there = folder, {folder}
        while above != str(self._folder):
            above = above.rpartition("/")[0]
            # The others in its folder are on the disk with it, also those of other processes.
            there |= {str(path) for path in Path(above).iterdir()}
            _fsync(above)
        self._synced |= there


def _read(path: str) -> bytes:
    with io.FileIO(path) as file:
        return file.readall()


def _go_on(given_up: Event) -> None:
    if given_up.is_set():
        raise asyncio.CancelledError


def _write_all(target: int, data: bytes | memoryview) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(target, left) :]


def _fsync(path: str) -> None:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)

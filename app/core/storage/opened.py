"""A file of the storage, open to be read."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from app.core.storage.errors import typed
from app.core.storage.interface import ObjectInfo, ObjectNotFound

PIECE_SIZE = 256 * 1024
"""Bytes read at once: most results are one piece, and a larger one takes no more memory."""

_FLAGS = (
    os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
)  # a FIFO would wait for a writer

_BUFFER = memoryview(bytearray(PIECE_SIZE))
"""Only for the event loop, which reads and copies in one go: a new buffer for each read would be
cleared first."""

_NO_NAMES = frozenset({"", ".", ".."})
"""No part of a key: none of them names an object in its folder."""

_NO_WAIT: int | None = getattr(os, "RWF_NOWAIT", None)


class OpenedFile:
    """A `StoredObject` that stays complete, even if it is deleted or replaced meanwhile."""

    def __init__(self, folder: Path, key: str) -> None:
        """
        Raises:
            ObjectNotFound: if it is not there, or the key is invalid.
            StorageError: if it cannot be opened.
        """
        path = path_of(folder, key)
        with typed(key):
            try:
                self._file = os.open(path, _FLAGS)
            except OSError as error:
                if error.errno == errno.ELOOP:  # a link, which none of ours is
                    raise ObjectNotFound(key) from None
                raise
        try:
            with typed():
                self.info = info_of(key, os.fstat(self._file))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._file)

    async def stream(self, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            size = min(PIECE_SIZE, end - start)
            piece = self._read_now(size, start)
            if piece is None:
                # If closed meanwhile, the thread reads nothing, or unused bytes.
                with typed():
                    piece = await asyncio.to_thread(os.pread, self._file, size, start)
            if not piece:
                return
            start += len(piece)
            yield piece

    def _read_now(self, size: int, start: int) -> bytes | None:
        """The bytes if the kernel has all of them in memory; None if the read would wait for the
        disk, or the file system cannot tell."""
        if _NO_WAIT is None:
            return None
        try:
            read = os.preadv(self._file, [_BUFFER[:size]], start, _NO_WAIT)
        except OSError:
            return None
        return bytes(_BUFFER[:size]) if read == size else None


def path_of(folder: Path, key: str) -> str:
    """The path of an object, which is below the folder.

    Raises:
        ObjectNotFound: if no object can have the key.
    """
    if "\0" in key or not _NO_NAMES.isdisjoint(key.split("/")):
        raise ObjectNotFound(key)
    return f"{folder}/{key}"


def info_of(key: str, found: os.stat_result) -> ObjectInfo:
    """What is known of a file.

    Raises:
        ObjectNotFound: if it is another kind of thing.
    """
    if not stat.S_ISREG(found.st_mode):
        raise ObjectNotFound(key)
    return ObjectInfo(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

"""An incoming file, in memory as long as it is small."""

from __future__ import annotations

import io
import tempfile
from typing import IO


class Spool:
    """Bytes as they come. `tempfile`'s own costs a layer of Python for each of them, and hides the
    file in memory, which a storage takes as a whole.

    Args:
        memory: bytes that stay in memory; a larger file goes to disk, without a name.
    """

    __slots__ = ("_memory", "file")

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self.file: IO[bytes] = io.BytesIO()
        """What has come; after a `write` it may be another."""

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes.

        Raises:
            OSError: if they cannot be written to disk.
        """
        file = self.file
        if isinstance(file, io.BytesIO) and file.tell() + len(data) > self._memory:
            on_disk = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
            self.file = on_disk
            on_disk.write(file.getvalue())
            file.close()
        self.file.write(data)

    def close(self) -> None:
        """Drop it."""
        self.file.close()

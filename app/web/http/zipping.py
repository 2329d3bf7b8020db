"""Files put into a ZIP as they are, while it is sent."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

JOINED_SIZE = 64 * 1024
"""Bytes of small entries and their heads that go out as one part."""

_MODE = 0o644 << 16
_OLDEST, _NEWEST = 1980, 2107
"""The years that a ZIP can tell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive."""

    path: str
    """With `/` between folders."""
    size: int
    modified: datetime


class Zipping:
    """A ZIP of stored entries, and of ZIP64 where sizes or numbers ask for that.

    It holds the bytes that were not taken yet, and of each entry its head, as the list at the end
    of the file has them all. Sizes and checksums follow the data of an entry (APPNOTE 4.3.9), so
    nothing is read twice.
    """

    def __init__(self) -> None:
        self._written = _Written()
        self._zip = zipfile.ZipFile(self._written, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]

    async def add(self, entry: Entry, data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Add a file; gives the parts of the archive that are to be sent."""
        year = min(max(entry.modified.year, _OLDEST), _NEWEST)
        time = (year, *entry.modified.timetuple()[1:6])
        info = zipfile.ZipInfo(entry.path, time)
        info.external_attr, info.file_size = _MODE, entry.size
        with self._zip.open(info, "w") as file:
            async for part in data:
                file.write(part)
                if self._written.size >= JOINED_SIZE:
                    yield self._written.take()

    def end(self) -> bytes:
        """What is left to be sent: the list of all entries at its end."""
        self._zip.close()
        return self._written.take()


class _Written:
    """A file that cannot seek, and gives away what is written to it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts, self.size = [], 0
        return data

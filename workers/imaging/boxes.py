"""The boxes that an ISO media file, such as AVIF and HEIC, consists of."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """One of them, by its type (ISO/IEC 14496-12, 4.2)."""

    kind: bytes
    start: int
    """Of its content."""
    end: int


def boxes(data: bytes | bytearray, start: int, end: int) -> Iterator[Box]:
    """The boxes between two places, up to the first that is broken.

    Raises:
        struct.error: if the last one's header is cut off.
    """
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            header = 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            return
        yield Box(kind, start + header, start + size)
        start += size

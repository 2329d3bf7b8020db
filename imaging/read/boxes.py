"""The boxes that an ISO media file, such as AVIF and HEIC, and a JPEG 2000 file consist of."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Data = bytes | bytearray


@dataclass(frozen=True, slots=True)
class Box:
    """One of them, by its type (ISO/IEC 14496-12, 4.2)."""

    kind: bytes
    start: int
    """Of its content."""
    end: int


def boxes(data: Data, start: int, end: int) -> Iterator[Box]:
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


def inside(data: Data, outer: Box) -> Iterator[Box]:
    """The boxes that another consists of.

    Raises:
        struct.error: as `boxes` does.
    """
    # A version and flags come first (ISO/IEC 14496-12, 8.11.1).
    start = outer.start + (4 if outer.kind == b"meta" else 0)
    return boxes(data, start, outer.end)


def within(data: Data, *path: bytes) -> Iterator[Box]:
    """The boxes of a file at the end of this path of kinds, each found when it is asked for.

    Raises:
        struct.error: as `boxes` does.
    """
    return _below(data, boxes(data, 0, len(data)), path)


def _below(data: Data, candidates: Iterator[Box], path: Sequence[bytes]) -> Iterator[Box]:
    for box in candidates:
        if box.kind == path[0]:
            if len(path) > 1:
                yield from _below(data, inside(data, box), path[1:])
            else:
                yield box

"""The boxes that an ISO media file, such as a HEIF file, and a JPEG 2000 file consist of."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from imaging.data import Data

MAX_BOX = 2**20
"""Bytes of the box that is looked at. A picture of 1000 tiles has 50 KB of them, and a profile."""

_MAX_BOXES = 64
"""Boxes beside each other that are passed over at most."""


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


def ftyp_brands(head: bytes, start: int) -> list[bytes]:
    """The brands of the file type box that begins here, the major one first (ISO/IEC 14496-12,
    4.3)."""
    size = int.from_bytes(head[start : start + 4], "big")
    names = head[start + 8 : start + 12] + head[start + 16 : min(start + size, len(head))]
    return [names[n : n + 4] for n in range(0, len(names) - 3, 4)]


def first_box(file: IO[bytes], wanted: bytes) -> bytes:
    """The first box of this kind with its header, or one byte more than `MAX_BOX` of it; nothing if
    there is none.

    Raises:
        struct.error: if a box's header is cut off.
    """
    end, at = file.seek(0, io.SEEK_END), 0
    for _ in range(_MAX_BOXES):
        if at >= end:
            break
        file.seek(at)
        head = file.read(16)
        size, kind = struct.unpack_from(">I4s", head)
        if size == 1:
            (size,) = struct.unpack_from(">Q", head, 8)
        size = size or end - at
        if kind == wanted:
            file.seek(at)
            return file.read(min(size, MAX_BOX + 1))
        if size < 8:
            break
        at += size
    return b""

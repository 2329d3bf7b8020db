"""An AVIF with its metadata written over: its items cannot be taken out without moving the rest."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from imaging.errors import PictureError
from imaging.read.boxes import Box, boxes, inside, within

_EMPTY_EXIF = b"II*\0\x08\0\0\0" + bytes(6)
"""A TIFF header and a directory without entries."""

_OFFSET = bytes(4)
"""Comes before the block in an Exif item (ISO/IEC 23008-12, annex A.2.1)."""

_NEEDED = (b"ftyp", b"meta", b"mdat", b"moov")
"""The boxes of a file that its pictures are in; what comes after the last of them is cut off."""


@dataclass(slots=True)
class _Reader:
    data: bytes | bytearray
    at: int

    def number(self, size: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.at += size
        return value


def strip(data: bytes, exif: bytes | None) -> bytes:
    """The file without what is behind the picture, and with nothing in its metadata but, if it has
    room, this EXIF.

    Raises:
        PictureError: if its boxes cannot be followed.
    """
    stripped = bytearray(data)
    try:
        meta = next(within(data, b"meta"))
        inner = {box.kind: box for box in inside(data, meta)}
        kinds = dict(_items(data, inner[b"iinf"]))
        idat = inner[b"idat"].start if b"idat" in inner else 0
        reach = 0
        for item, start, length in _places(data, inner[b"iloc"], idat):
            reach = max(reach, start + length)
            if kinds.get(item) not in (b"Exif", b"mime") or start + length > len(data):
                continue
            if kinds[item] == b"mime":
                content = b" " * length
            else:
                block = exif if exif and len(_OFFSET + exif) <= length else _EMPTY_EXIF
                content = (_OFFSET + block).ljust(length, b"\0")[:length]
            stripped[start : start + length] = content
        end = _wipe(stripped)
    except (StopIteration, KeyError, IndexError, struct.error):
        raise PictureError("the picture cannot be read: no AVIF") from None
    if reach > end:
        raise PictureError("the picture cannot be read: the AVIF ends too early")
    return bytes(stripped[:end])


def _wipe(data: bytearray) -> int:
    """Write over what is in boxes that are not needed. Returns where the needed ones end."""
    end = 0
    for box in boxes(bytes(data), 0, len(data)):
        if box.kind in _NEEDED:
            end = box.end
        else:
            data[box.start : box.end] = bytes(box.end - box.start)
    return end


def _items(data: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Id and type of each item (ISO/IEC 14496-12, 8.11.6)."""
    entries = iinf.start + (6 if data[iinf.start] == 0 else 8)
    for box in boxes(data, entries, iinf.end):
        version = data[box.start]
        if box.kind == b"infe" and version >= 2:
            width = 2 if version == 2 else 4
            reader = _Reader(data, box.start + 4)
            item = reader.number(width)
            yield item, bytes(data[reader.at + 2 : reader.at + 6])


def _places(data: bytes, iloc: Box, idat: int) -> Iterator[tuple[int, int, int]]:
    """Id, start and length of each extent of each item (ISO/IEC 14496-12, 8.11.3)."""
    version = data[iloc.start]
    reader = _Reader(data, iloc.start + 4)
    sizes = reader.number(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    wide = 2 if version < 2 else 4
    for _ in range(reader.number(wide)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(base_size) + (idat if method == 1 else 0)
        for _ in range(reader.number(2)):
            reader.number(index_size)
            start = base + reader.number(offset_size)
            length = reader.number(length_size)
            if method <= 1:
                yield item, start, length
        if reader.at > iloc.end:
            return

"""The size of a picture in a file of boxes: AVIF, HEIC, JPEG 2000."""

from __future__ import annotations

import io
import struct
from typing import IO

from imaging.read.boxes import Box, boxes, within
from imaging.read.items import primary_properties

MAX_BOX = 2**20
"""Bytes of the box that is looked at. A picture of 1000 tiles has 50 KB of them, and a profile."""

_MAX_BOXES = 64
"""Boxes beside each other that are passed over at most."""


def heif(file: IO[bytes]) -> tuple[int, int]:
    """What ispe says of the primary picture, of all tiles together; the largest if it is not known
    which that is (ISO/IEC 23008-12, 6.5.3).

    HEVC has even sides: clap then says what is shown (ISO/IEC 14496-12, 12.1.4.1).
    """
    meta = _read(file, b"meta")
    if len(meta) > MAX_BOX:
        return 0, 0
    properties = primary_properties(meta)
    sizes = [_extent(meta, box) for box in properties if box.kind == b"ispe"]
    if not sizes:
        every = within(meta, b"meta", b"iprp", b"ipco", b"ispe")
        return max((_extent(meta, box) for box in every), key=_area, default=(0, 0))
    width, height = sizes[0]
    for box in properties:
        if box.kind == b"clap":
            across, by, down, by_too = struct.unpack_from(">IIII", meta, box.start)
            width = min(width, across // by if by else 0)
            height = min(height, down // by_too if by_too else 0)
    return width, height


def jpeg_2000(file: IO[bytes]) -> tuple[int, int]:
    """What ihdr says, the first box of the header (ITU-T T.800, I.5.3.1)."""
    header = _read(file, b"jp2h")
    (size,) = struct.unpack_from(">I", header)
    for box in boxes(header, 16 if size == 1 else 8, len(header)):
        if box.kind == b"ihdr":
            height, width = struct.unpack_from(">II", header, box.start)
            return width, height
    return 0, 0


def _extent(data: bytes, box: Box) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, box.start + 4)
    return width, height


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _read(file: IO[bytes], wanted: bytes) -> bytes:
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

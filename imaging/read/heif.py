"""A HEIF file by its first boxes, whatever its pictures are coded in (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.data import Data
from imaging.limits import Limits
from imaging.read.boxes import MAX_BOX, Box, first_box, ftyp_brands, within
from imaging.read.items import primary_properties


def brands(head: bytes) -> set[bytes]:
    """The brands of the file that begins with `head`; none of a file of another kind."""
    return set(ftyp_brands(head, 0)) if head[4:8] == b"ftyp" else set()


def size(file: IO[bytes]) -> tuple[int, int]:
    """What ispe says of the primary picture, of all tiles together; the largest if it is not known
    which that is (ISO/IEC 23008-12, 6.5.3).

    HEVC has even sides: clap then says what is shown (ISO/IEC 14496-12, 12.1.4.1).
    """
    meta = first_box(file, b"meta")
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


def _extent(data: bytes, box: Box) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", data, box.start + 4)
    return width, height


def _area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def check(data: Data, limits: Limits) -> None:
    """See whether every picture in the file is small enough: libvips takes one that it cannot count
    as 1.

    Raises:
        PictureError: if one is not.
    """
    for size in within(data, b"meta", b"iprp", b"ipco", b"ispe"):
        limits.check_size(*struct.unpack_from(">II", data, size.start + 4))

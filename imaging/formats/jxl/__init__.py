"""JPEG XL (ISO/IEC 18181), as a codestream and as a file of boxes."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts, Frames, Output

CODESTREAM = b"\xff\x0a"
"""What begins every codestream (18181-1, 9.1)."""
CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
"""The box that begins every file of boxes (18181-2, 9.2)."""

_MAX_BOXES = 64
_HEAD = 32
"""Bytes of a codestream that are looked at: its size takes ten at most."""

_RATIOS = ((0, 0), (1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Width by height where the header names the shape alone; the first is none of them."""
_BITS = (9, 13, 18, 30)


def recognise(head: bytes) -> str | None:
    """By its first bytes."""
    return "image/jxl" if head.startswith((CODESTREAM, CONTAINER)) else None


def size(file: IO[bytes]) -> tuple[int, int]:
    """What the size header says, as it is stored (18181-1, annex D.2)."""
    head = file.read(_HEAD)
    if head.startswith(CONTAINER):
        head = _codestream(file)
    if not head.startswith(CODESTREAM):
        return 0, 0
    bits = _Bits(head[len(CODESTREAM) :])
    small = bits.take(1)
    height = (bits.take(5) + 1) * 8 if small else bits.take(_BITS[bits.take(2)]) + 1
    across, by = _RATIOS[bits.take(3)]
    if by:
        return height * across // by, height
    width = (bits.take(5) + 1) * 8 if small else bits.take(_BITS[bits.take(2)]) + 1
    return width, height


def _codestream(file: IO[bytes]) -> bytes:
    """The beginning of the codestream in a file of boxes, whole or in parts; nothing if none of the
    first boxes has it."""
    at = 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        length, kind = struct.unpack_from(">I4s", head)
        start = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, 8)
            start = 16
        if kind in (b"jxlc", b"jxlp"):
            file.seek(at + start + (4 if kind == b"jxlp" else 0))  # the number of the part
            return file.read(_HEAD)
        if length < start:  # the last one, or broken
            break
        at += length
    return b""


class _Bits:
    """Bits of a header, the lowest of each byte first (18181-1, 6.2)."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        """The next number of so many bits.

        Raises:
            IndexError: if there are no more.
        """
        if count > self._left:
            raise IndexError("the header ends too early")
        number = self._number & ((1 << count) - 1)
        self._number >>= count
        self._left -= count
        return number


FACTS = Facts(
    kinds={"image/jxl": "JPEG XL"},
    size=size,
    recognise=recognise,
    place=9,
    is_animated=True,
    output=Output(
        max_side=262_144,  # of level 5, which every decoder reads (18181-1, annex M)
        auto=(10, 97),
        can_be_lossless=True,
        frames=Frames.ALL,
    ),
)

"""Headers in which the size always stands at the same place."""

from __future__ import annotations

import struct
from typing import IO

_MAX_WEBP_SIDE = 0x3FFF
"""14 bits."""


def png(file: IO[bytes]) -> tuple[int, int]:
    """IHDR comes first (PNG, third edition, 5.6)."""
    width, height = struct.unpack(">16xII", file.read(24))
    return width, height


def gif(file: IO[bytes]) -> tuple[int, int]:
    """The logical screen (GIF89a, 18)."""
    width, height = struct.unpack("<6xHH", file.read(10))
    return width, height


def bmp(file: IO[bytes]) -> tuple[int, int]:
    """Of a bitmap whose rows stand from top to bottom the height is negative."""
    size, width, height = struct.unpack("<14xIii", file.read(26))
    if size < 40:  # two numbers of 16 bit, in the header of OS/2
        width, height = width & 0xFFFF, width >> 16 & 0xFFFF
    return abs(width), abs(height)


def webp(file: IO[bytes]) -> tuple[int, int]:
    """The canvas, or the only picture (RFC 9649, 2.5 to 2.7; RFC 6386, 9.1)."""
    head = file.read(30)
    match head[12:16]:
        case b"VP8X":
            (width,) = struct.unpack("<I", head[24:27] + b"\0")
            (height,) = struct.unpack("<I", head[27:30] + b"\0")
            return width + 1, height + 1
        case b"VP8L" if head[20:21] == b"\x2f":
            (bits,) = struct.unpack("<I", head[21:25])
            return (bits & _MAX_WEBP_SIDE) + 1, (bits >> 14 & _MAX_WEBP_SIDE) + 1
        case b"VP8 " if head[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", head[26:30])
            return width & _MAX_WEBP_SIDE, height & _MAX_WEBP_SIDE
    return 0, 0


def codestream(file: IO[bytes]) -> tuple[int, int]:
    """SIZ of a JPEG 2000 codestream: the reference grid less what is left of and above the picture
    (ITU-T T.800, A.5.1)."""
    right, bottom, left, top = struct.unpack(">8xIIII", file.read(24))
    return right - left, bottom - top

"""WebP (RFC 9649)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts, Frames, Output

_MAX_SIDE = 0x3FFF
"""14 bits."""


def size(file: IO[bytes]) -> tuple[int, int]:
    """The canvas, or the only picture (RFC 9649, 2.5 to 2.7; RFC 6386, 9.1)."""
    head = file.read(30)
    match head[12:16]:
        case b"VP8X":
            (width,) = struct.unpack("<I", head[24:27] + b"\0")
            (height,) = struct.unpack("<I", head[27:30] + b"\0")
            return width + 1, height + 1
        case b"VP8L" if head[20:21] == b"\x2f":
            (bits,) = struct.unpack("<I", head[21:25])
            return (bits & _MAX_SIDE) + 1, (bits >> 14 & _MAX_SIDE) + 1
        case b"VP8 " if head[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack("<HH", head[26:30])
            return width & _MAX_SIDE, height & _MAX_SIDE
    return 0, 0


FACTS = Facts(
    kinds={"image/webp": "WebP"},
    size=size,
    place=3,
    is_animated=True,
    output=Output(
        max_side=16_383,  # RFC 9649, 2.7
        auto=(10, 98),
        can_be_lossless=True,
        frames=Frames.ALL,
    ),
)

"""BMP, the bitmaps of Windows and OS/2."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts


def size(file: IO[bytes]) -> tuple[int, int]:
    """Of a bitmap whose rows stand from top to bottom the height is negative."""
    header, width, height = struct.unpack("<14xIii", file.read(26))
    if header < 40:  # two numbers of 16 bit, in the header of OS/2
        width, height = width & 0xFFFF, width >> 16 & 0xFFFF
    return abs(width), abs(height)


FACTS = Facts(kinds={"image/bmp": "BMP"}, size=size, extensions=("bmp",), place=8)

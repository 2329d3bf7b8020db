"""JPEG (ITU-T T.81)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts, Output
from imaging.formats.jpg.orientation import is_turned
from imaging.read.segments import SOI

MAX_SEGMENTS = 1000
"""Segments that are passed over at most: a file may have millions."""

START = SOI + b"\xff"
"""SOI, and the first byte of the marker after it (table B.1, figure B.2)."""

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a frame, whatever its coding (table B.1)."""


def recognise(head: bytes) -> str | None:
    """By its first bytes, as the library `filetype` does, which is asked last."""
    return "image/jpeg" if head.startswith(START) else None


def size(file: IO[bytes]) -> tuple[int, int]:
    """What the header of the frame says (B.2.2); long metadata may stand before it."""
    file.seek(2)
    for _ in range(MAX_SEGMENTS):
        first, kind = struct.unpack(">BB", file.read(2))
        while kind == 0xFF:  # filling (B.1.1.2)
            (kind,) = struct.unpack(">B", file.read(1))
        (length,) = struct.unpack(">H", file.read(2))
        if first != 0xFF or length < 2:
            break
        if kind in FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
    return 0, 0


FACTS = Facts(
    kinds={"image/jpeg": "JPEG"},
    recognise=recognise,
    size=size,
    is_turned=is_turned,
    extensions=("jpeg", "jfif"),
    place=1,
    output=Output(
        max_side=65_500,  # libjpeg's JPEG_MAX_DIMENSION
        aliases=("jpeg",),
        has_quality=True,
        auto=(20, 97),
        has_alpha=False,
    ),
)

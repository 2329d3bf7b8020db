"""The size of a JPEG, which long metadata may stand before."""

from __future__ import annotations

import struct
from typing import IO

MAX_SEGMENTS = 1000
"""Segments that are passed over at most: a file may have millions."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a frame, whatever its coding (ITU-T T.81, table B.1)."""


def read(file: IO[bytes]) -> tuple[int, int]:
    """What the header of the frame says (ITU-T T.81, B.2.2)."""
    file.seek(2)
    for _ in range(MAX_SEGMENTS):
        first, kind = struct.unpack(">BB", file.read(2))
        while kind == 0xFF:  # filling (ITU-T T.81, B.1.1.2)
            (kind,) = struct.unpack(">B", file.read(1))
        (length,) = struct.unpack(">H", file.read(2))
        if first != 0xFF or length < 2:
            break
        if kind in _FRAMES:
            height, width = struct.unpack(">xHH", file.read(5))
            return width, height
        file.seek(length - 2, 1)
    return 0, 0

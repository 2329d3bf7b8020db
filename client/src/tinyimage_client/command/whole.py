"""Whether a file is written to its end, as far as its format tells."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

TAIL = 64 * 1024
"""Bytes before the end of a file in which that of the picture is looked for: cameras put some of
their own behind it."""


def looks_whole(path: Path) -> bool:
    """Whether the file has the end that its format asks for. Of other formats whether there is
    anything at all.

    Raises:
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(16)
        if head.startswith(b"\xff\xd8"):
            return b"\xff\xd9" in _tail(file, size)
        if head.startswith(b"\x89PNG"):
            return b"IEND" in _tail(file, size)
        if head.startswith(b"GIF8"):
            return b"\x3b" in _tail(file, size)[-16:]
        if head[:4] == b"RIFF" and len(head) == 16:
            return size >= 8 + int.from_bytes(head[4:8], "little")
        if head[4:8] == b"ftyp":
            return _boxes_end(file, size)
        return size > 0


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(0, size - TAIL))
    return file.read(TAIL)


def _boxes_end(file: BinaryIO, size: int) -> bool:
    """Whether the boxes of an ISO base media file (ISO/IEC 14496-12) end with it."""
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            return False
        length = int.from_bytes(head[:4], "big")
        if length == 0:  # up to the end
            return True
        if length == 1:
            length = struct.unpack(">Q", head[8:16])[0] if len(head) == 16 else 0
        if length < 8:
            return True  # none that is read here
        place += length
    return place == size

"""Width and height of a picture by its header, for a server that decodes nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import IO

from app.core.measures import Size

MAX_SEGMENTS = 1000
"""Segments of a JPEG that are passed over at most: a file may have millions."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of a frame, whatever its coding (ITU-T T.81, table B.1)."""


def picture_size(file: IO[bytes], media_type: str, max_pixels: int) -> Size | None:
    """Width and height as they are stored, in pixels, or None if the header does not say.

    Also None of a picture of more than `max_pixels`: no format helps there. What is not known here,
    or of kinds whose header is not read here, is seen by the worker.
    """
    read = _READERS.get(media_type)
    if read is None:
        return None
    file.seek(0)
    try:
        width, height = read(file)
    except struct.error:  # it ends too early
        return None
    return Size(width, height) if 0 < width * height <= max_pixels else None


def _png(file: IO[bytes]) -> tuple[int, int]:
    """IHDR comes first (PNG, third edition, 5.6)."""
    width, height = struct.unpack(">16xII", file.read(24))
    return width, height


def _gif(file: IO[bytes]) -> tuple[int, int]:
    width, height = struct.unpack("<6xHH", file.read(10))
    return width, height


def _bmp(file: IO[bytes]) -> tuple[int, int]:
    size, width, height = struct.unpack("<14xIii", file.read(26))
    if size < 40:  # two numbers of 16 bit, in the header of OS/2
        width, height = width & 0xFFFF, width >> 16 & 0xFFFF
    return abs(width), abs(height)


def _jpeg(file: IO[bytes]) -> tuple[int, int]:
    """The frame's header, which long metadata may come before."""
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


_READERS: dict[str, Callable[[IO[bytes]], tuple[int, int]]] = {
    "image/png": _png,
    "image/apng": _png,
    "image/gif": _gif,
    "image/bmp": _bmp,
    "image/jpeg": _jpeg,
}

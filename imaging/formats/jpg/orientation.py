"""Whether a JPEG is shown turned by a quarter, by its Exif block (CIPA DC-008, section 4.6.5)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.read.segments import EXIF_HEAD

MAX_SEGMENTS = 20
"""Segments that are looked at: Exif stands first, at most behind a JFIF header."""

_ORIENTATION = 0x0112
_QUARTER_TURNS = range(5, 9)
_APP1, _SCAN = 0xE1, 0xDA
_MAX_ENTRIES = 500


def is_turned(file: IO[bytes]) -> bool:
    """Whether width and height are exchanged when the picture is shown; False where that cannot be
    read."""
    file.seek(2)
    try:
        for _ in range(MAX_SEGMENTS):
            first, kind, length = struct.unpack(">BBH", file.read(4))
            if first != 0xFF or kind == _SCAN or length < 2:
                return False
            if kind == _APP1:
                content = file.read(length - 2)
                if content.startswith(EXIF_HEAD):
                    return _orientation(content[6:]) in _QUARTER_TURNS
            else:
                file.seek(length - 2, 1)
    except (struct.error, KeyError):
        pass
    return False


def _orientation(tiff: bytes) -> int:
    """The tag of the first directory; 1 if there is none.

    Raises:
        struct.error, KeyError: if it cannot be read.
    """
    order = {b"II": "<", b"MM": ">"}[tiff[:2]]
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    for number in range(min(count, _MAX_ENTRIES)):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
        if tag == _ORIENTATION:
            return int(value)
    return 1

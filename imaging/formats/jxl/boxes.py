"""A JPEG XL without what is not shown: its boxes taken apart and put together."""

from __future__ import annotations

import struct

from imaging.errors import PictureError
from imaging.formats.jxl import CODESTREAM, CONTAINER
from imaging.read.boxes import boxes

_FTYP = b"\x00\x00\x00\x14ftypjxl \x00\x00\x00\x00jxl "
_PARTS = (b"jxlc", b"jxlp")
_LEVEL = b"jxll"
_NUMBER = 4
"""Bytes of the number that a part of the codestream begins with (18181-2, 9.9)."""


def stripped(data: bytes, exif: bytes | None) -> bytes:
    """The codestream, in a file of boxes only where it needs that: with its level, and with this
    EXIF block.

    Raises:
        PictureError: if there is no codestream in it.
    """
    if data.startswith(CODESTREAM):
        codestream, level = data, b""
    else:
        parts, level = [], b""
        for box in boxes(data, 0, len(data)):
            content = data[box.start : box.end]
            if box.kind in _PARTS:
                parts.append(content[_NUMBER:] if box.kind == b"jxlp" else content)
            elif box.kind == _LEVEL:
                level = _box(_LEVEL, content)
        codestream = b"".join(parts)
    if not codestream.startswith(CODESTREAM):
        raise PictureError("the picture cannot be read: the JPEG XL has no codestream")
    if not exif and not level:
        return codestream
    head = CONTAINER + _FTYP + level
    block = _box(b"Exif", bytes(4) + exif) if exif else b""
    return head + block + _box(b"jxlc", codestream)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content

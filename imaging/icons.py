"""The best of the pictures in an icon."""

from __future__ import annotations

import struct
from typing import NamedTuple

from imaging.data import Data

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_BITS = 32
"""What a PNG counts as, whatever it has: that is what is written so."""
_DIRECTORY = struct.Struct("<HHH")
"""Zero, 1 for an icon, and the number of pictures."""
_ENTRY = struct.Struct("<BBBBHHII")
"""Width, height, colours, zero, planes, bits, and the bytes and the place of the picture."""
_CORE_HEADER = 12
"""Bytes of a BITMAPCOREHEADER."""


class _Entry(NamedTuple):
    """A picture in an icon, by its own header: the directory has a byte for a side."""

    pixels: int
    bits: int
    start: int
    size: int
    is_png: bool


def best(data: Data) -> tuple[str, Data]:
    """Media type and bytes of the largest picture, and of these of the one of most colours: a PNG,
    or an icon with this picture alone. An icon without any that can be followed stays as it is."""
    entries: list[_Entry] = []
    try:
        _, _, count = _DIRECTORY.unpack_from(data)
        for at in range(_DIRECTORY.size, _DIRECTORY.size + count * _ENTRY.size, _ENTRY.size):
            *_, size, start = _ENTRY.unpack_from(data, at)
            entry = _entry(data, start, size)
            if entry is not None:
                entries.append(entry)
    except struct.error:
        pass  # the directory is cut off
    if not entries:
        return "image/x-icon", data
    chosen = max(entries, key=lambda entry: (entry.pixels, entry.bits))
    picture = data[chosen.start : chosen.start + chosen.size]
    if chosen.is_png:
        return "image/png", picture
    # A 0 for a side is 256; what counts is in the picture's own header.
    bits = chosen.bits if chosen.bits else 1
    place = _DIRECTORY.size + _ENTRY.size
    header = _DIRECTORY.pack(0, 1, 1) + _ENTRY.pack(0, 0, 0, 0, 1, bits, len(picture), place)
    return "image/x-icon", header + picture


def _entry(data: Data, start: int, size: int) -> _Entry | None:
    try:
        if data[start : start + len(_PNG)] == _PNG:
            width, height = struct.unpack_from(">II", data, start + 16)
            return _Entry(width * height, _PNG_BITS, start, size, is_png=True)
        (header,) = struct.unpack_from("<I", data, start)
        if header == _CORE_HEADER:
            width, height, _, bits = struct.unpack_from("<HHHH", data, start + 4)
        else:
            width, height, _, bits = struct.unpack_from("<iiHH", data, start + 4)
    except struct.error:
        return None
    # Twice as high as it is shown: the mask lies behind the colours.
    return _Entry(abs(width) * (abs(height) // 2), bits, start, size, is_png=False)

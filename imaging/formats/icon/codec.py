"""The best of the pictures in an icon."""

from __future__ import annotations

import struct
from typing import NamedTuple

from imaging.codec import Reader
from imaging.data import Data
from imaging.formats.png import SIGNATURE
from imaging.formats.png.chunks import check as check_png
from imaging.limits import Limits

_PNG_BITS = 32
"""What a PNG counts as, whatever it has: that is what is written so."""
_DIRECTORY = struct.Struct("<HHH")
"""Zero, 1 for an icon, and the number of pictures."""
_ENTRY = struct.Struct("<BBBBHHII")
"""Width, height, colours, zero, planes, bits, and the bytes and the place of the picture."""
_BITMAP_HEADER = 40
"""Bytes of a BITMAPINFOHEADER, which a picture has where it is not a PNG."""
_CORE_HEADER = 12
"""Bytes of a BITMAPCOREHEADER."""


class _Entry(NamedTuple):
    """A picture in an icon, by its own header: the directory has a byte for a side."""

    pixels: int
    bits: int
    start: int
    size: int
    is_png: bool


def best(data: Data, kind: str) -> tuple[str, Data]:
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
        return kind, data
    chosen = max(entries, key=lambda entry: (entry.pixels, entry.bits))
    picture = data[chosen.start : chosen.start + chosen.size]
    if chosen.is_png:
        return "image/png", picture
    # A 0 for a side is 256; what counts is in the picture's own header.
    bits = chosen.bits if chosen.bits else 1
    place = _DIRECTORY.size + _ENTRY.size
    header = _DIRECTORY.pack(0, 1, 1) + _ENTRY.pack(0, 0, 0, 0, 1, bits, len(picture), place)
    return kind, header + picture


def _entry(data: Data, start: int, size: int) -> _Entry | None:
    try:
        if data[start : start + len(SIGNATURE)] == SIGNATURE:
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


def _check(data: Data, limits: Limits) -> None:
    """The directory has a byte for a side, so it is the pictures themselves that count."""
    (count,) = struct.unpack_from("<H", data, 4)
    for number in range(count):
        (start,) = struct.unpack_from("<I", data, 6 + 16 * number + 12)
        if data[start : start + len(SIGNATURE)] == SIGNATURE:
            check_png(data, limits, start)
        else:
            header, width, height = struct.unpack_from("<Iii", data, start)
            if header >= _BITMAP_HEADER:
                # Twice as high as it is shown: the mask lies behind the colours.
                limits.check_size(abs(width), abs(height) // 2)


READER = Reader(pillow="ICO", check=_check, inner=best)

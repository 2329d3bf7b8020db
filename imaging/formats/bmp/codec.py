"""Bitmaps (BMP) whose pixels are bit fields of a layout that Pillow does not read."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

import pyvips

from imaging.codec import Reader
from imaging.data import Data
from imaging.errors import PictureError
from imaging.limits import Limits
from imaging.source import Source

_HEADER = struct.Struct("<10xIIiiHHI")
"""Where the pixels begin, bytes of the second header, width, height, planes, bits, compression
(BITMAPFILEHEADER and BITMAPINFOHEADER)."""
_MASKS_AT = 14 + 40
"""Behind BITMAPINFOHEADER; the longer headers have the masks at the same place."""
_HEADERS = (40, 52, 56, 108, 124)
"""Bytes of the headers from Windows: BITMAPINFOHEADER, and versions 2 to 5 of it."""
_WITH_ALPHA = 56
"""The shortest header that has a mask of alpha (BITMAPV3INFOHEADER)."""

_BITFIELDS, _ALPHABITFIELDS = 3, 6
_FORMATS = {16: "ushort", 32: "uint"}
_NAMES = ("red", "green", "blue", "alpha")
_MOST_BITS = 16
"""Of a field; what is below does not show in the 8 bits that come out."""

_BY_PILLOW = {
    16: {(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0)},
    32: {
        (0xFF0000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF000000, 0xFF00, 0xFF, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
        (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
        (0xFF000000, 0xFF00, 0xFF, 0xFF0000),
        (0, 0, 0, 0),
    },
}
"""The masks that Pillow reads (`BmpImagePlugin`, 13.0). Of 16 bit it drops alpha."""


class _Field(NamedTuple):
    """The bits of a pixel that are one of its colours, or its alpha."""

    shift: int
    bits: int


@dataclass(frozen=True, slots=True)
class Bitmap:
    """The header of a bitmap with bit fields."""

    width: int
    height: int
    """Negative if the rows stand from top to bottom."""
    bits: int
    start: int
    """Where the pixels begin."""
    end_of_header: int
    masks: tuple[int, int, int, int]
    """Of red, green, blue and alpha; 0 for alpha if there is none."""


def header(data: Data) -> Bitmap | None:
    """The header of a bitmap that Pillow would refuse for its bit fields, or show without its
    alpha; None for every other."""
    try:
        start, size, width, height, _, bits, compression = _HEADER.unpack_from(data)
        if size not in _HEADERS or bits not in _FORMATS:
            return None
        if compression not in (_BITFIELDS, _ALPHABITFIELDS):
            return None
        count = 4 if compression == _ALPHABITFIELDS or size >= _WITH_ALPHA else 3
        red, green, blue, alpha = (*struct.unpack_from(f"<{count}I", data, _MASKS_AT), 0)[:4]
    except struct.error:
        return None
    masks = (red, green, blue, alpha)
    if compression == _BITFIELDS and masks in _BY_PILLOW[bits]:
        return None
    end = max(14 + size, _MASKS_AT + 4 * count)
    return Bitmap(width, height, bits, start or end, end, masks)


def shown(data: Data, bitmap: Bitmap, limits: Limits) -> Source:
    """The picture, with 8 bits a value.

    Raises:
        PictureError: if it is too large, its masks make no sense, or pixels are missing.
    """
    width, height = bitmap.width, abs(bitmap.height)
    if width <= 0 or height == 0:
        raise _unreadable(f"a bitmap of {width} × {height} pixels")
    limits.check_size(width, height)
    fields = _fields(bitmap)
    if bitmap.start < bitmap.end_of_header:
        raise _unreadable("its pixels are said to begin within its header")
    row = (width * bitmap.bits + 31) // 32 * 4  # a row ends at a multiple of four bytes
    size = row * height
    # A copy, as the numbers have to lie at multiples of their size.
    pixels = bytes(data[bitmap.start : bitmap.start + size])
    if len(pixels) < size:
        raise _unreadable(f"{size - len(pixels)} of the {size} bytes of its pixels are missing")
    across = row * 8 // bitmap.bits
    numbers = pyvips.Image.new_from_memory(pixels, across, height, 1, _FORMATS[bitmap.bits])
    numbers = numbers.crop(0, 0, width, height)
    if bitmap.height > 0:
        numbers = numbers.flip("vertical")
    first, *others = (_values(numbers, field) for field in fields)
    image = first.bandjoin(others).copy(interpretation="srgb")
    return Source("image/bmp", image, size=(width, height))


def _fields(bitmap: Bitmap) -> list[_Field]:
    """Red, green, blue, and alpha if there is one.

    Raises:
        PictureError: if a colour has no bits, or two have the same, or one has bits apart from each
            other or outside of the pixel.
    """
    used, fields = 0, []
    for name, mask in zip(_NAMES, bitmap.masks, strict=True):
        if not mask:
            if name == "alpha":
                continue
            raise _unreadable(f"its mask of {name} has no bits")
        if mask >> bitmap.bits:
            raise _unreadable(f"its mask of {name} is outside of the {bitmap.bits} bits of a pixel")
        if mask & used:
            raise _unreadable(f"its mask of {name} overlaps another one")
        shift = (mask & -mask).bit_length() - 1
        bits = (mask >> shift).bit_length()
        if mask >> shift != 2**bits - 1:
            raise _unreadable(f"the bits of its mask of {name} are apart from each other")
        used |= mask
        fields.append(_Field(shift, bits))
    return fields


def _values(numbers: pyvips.Image, field: _Field) -> pyvips.Image:
    dropped = max(0, field.bits - _MOST_BITS)
    white = 2 ** (field.bits - dropped) - 1
    # Shifted first: libvips takes constants as signed numbers.
    values = (numbers >> field.shift + dropped) & white
    return values.linear(255 / white, 0).rint().cast("uchar")


def _unreadable(why: str) -> PictureError:
    return PictureError(f"the picture cannot be read: {why}")


def _decode(data: Data, kind: str, limits: Limits, all_frames: bool) -> Source | None:
    bitmap = header(data)
    return shown(data, bitmap, limits) if bitmap else None


READER = Reader(pillow="BMP", decode=_decode)

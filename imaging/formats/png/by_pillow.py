"""A tiny PNG of the usual kind by Pillow's decoder of its rows: libvips starts a thread for it."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from PIL import Image

from imaging.data import Data
from imaging.formats.png import SIGNATURE, colours
from imaging.formats.png.chunks import chunk, chunks

_HEADER = struct.Struct(">II5B")
"""Width, height, bit depth, colour type; methods of compression, of filters and of interlacing
(PNG, third edition, 11.2.1)."""

_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
"""What Pillow calls the colour types (11.2.1), a letter for each band."""
_PALETTE, _GREY = 3, ("L", "LA")

_DEPTHS = (1, 2, 4, 8)
"""Bits of a band, of which a picture without a palette has the last here."""

_PASSED_OVER = frozenset(
    (b"tEXt", b"tIME", b"pHYs", b"bKGD", b"sBIT", b"hIST", b"sRGB", b"gAMA", b"cHRM")
)
"""Chunks that change no pixel, and of which no text is inflated. What the last ones say of the
colours is asked in `imaging.formats.png.colours`."""


@dataclass(slots=True)
class _Chunks:
    """What counts of a file whose chunks are all as they should be."""

    header: bytes
    palette: bytes = b""
    alpha: bytes = b""
    pixels: bytes = b""


def read(data: Data, max_pixels: int) -> Image.Image | None:
    """The pixels of a still of 8 bit, grey or red, green and blue, or with a palette; None if there
    are more than `max_pixels`, of which nothing is decoded, or if anything in the file is not usual
    or not as it should be, down to the checksums: libvips says what becomes of it then."""
    found = _chunks(bytes(data))
    if found is None:
        return None
    width, height, depth, kind, *methods = _HEADER.unpack(found.header)
    mode = _MODES.get(kind)
    depths = _DEPTHS if kind == _PALETTE else _DEPTHS[-1:]
    if mode is None or depth not in depths or any(methods):
        return None
    if not 0 < width * height <= max_pixels:
        return None
    if bool(found.palette) != (kind == _PALETTE) or not _is_srgb(data, grey=mode in _GREY):
        return None
    row = 1 + -(-width * depth * len(mode) // 8)
    try:
        inflater = zlib.decompressobj()
        rows = inflater.decompress(found.pixels, height * row + 1)
        if len(rows) != height * row or not inflater.eof or inflater.unused_data:
            return None
        raw = mode if depth == _DEPTHS[-1] else f"{mode};{depth}"
        picture = Image.frombytes(mode, (width, height), found.pixels, "zip", raw, 0)
    except (zlib.error, ValueError):
        return None
    return _coloured(picture, found, most=2**depth) if kind == _PALETTE else picture


def _chunks(data: bytes) -> _Chunks | None:
    """None if there are others than the usual ones, or if one is broken or in a wrong place."""
    found: _Chunks | None = None
    at, is_over = len(SIGNATURE), False
    for kind, body, _ in chunks(data):
        written = chunk(kind, body)
        if not data.startswith(written, at):  # cut off, or with another checksum
            return None
        at += len(written)
        if found is None:
            if kind != b"IHDR" or len(body) != _HEADER.size:
                return None
            found = _Chunks(body)
        elif kind == b"IDAT" and not is_over:
            found.pixels += body
        elif kind == b"IEND":
            return found
        elif kind in _PASSED_OVER:
            is_over = bool(found.pixels)
        elif kind == b"PLTE" and not found.palette and not found.pixels:
            found.palette = body
        elif kind == b"tRNS" and found.palette and not found.alpha and not found.pixels:
            found.alpha = body
        else:
            return None
    return None


def _is_srgb(data: Data, *, grey: bool) -> bool:
    """Whether the numbers of the pixels are those of sRGB."""
    try:
        space = colours.read(data).space
    except struct.error:
        return False
    return space is None or space.is_srgb(grey=grey)


def _coloured(picture: Image.Image, found: _Chunks, most: int) -> Image.Image | None:
    """The pixels of a picture with a palette; None if one has a colour that is not in it, or if it
    has more than `most` (11.2.2)."""
    count, rest = divmod(len(found.palette), 3)
    if rest or count > most or len(found.alpha) > count or max(picture.tobytes()) >= count:
        return None
    if not found.alpha:
        picture.putpalette(found.palette)
        return picture.convert("RGB")
    alpha = found.alpha.ljust(count, b"\xff")
    palette = bytearray(4 * count)
    for band in range(3):
        palette[band::4] = found.palette[band::3]
    palette[3::4] = alpha
    picture.putpalette(bytes(palette), "RGBA")
    return picture.convert("RGBA")

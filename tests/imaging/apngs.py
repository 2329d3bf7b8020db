"""Animated PNGs, put together chunk by chunk."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Part:
    """A frame of a file: RGBA pixels at a place of the canvas."""

    image: Image.Image
    left: int = 0
    top: int = 0
    number: int = 1
    of: int = 10
    """Seconds it is shown, as a fraction."""
    dispose: int = 0
    blend: int = 0


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def apng(
    parts: list[Part],
    *,
    plays: int = 0,
    default: Image.Image | None = None,
    size: tuple[int, int] | None = None,
    extra: bytes = b"",
    bits: int = 8,
) -> bytes:
    """The file.

    Args:
        default: a picture for programs that show no animations, not one of the frames.
        size: of the canvas; that of the first frame without it.
        extra: chunks in front of the others.
        bits: 8 or 16 for each value.
    """
    width, height = size or (default or parts[0].image).size
    head = struct.pack(">IIBBBBB", width, height, bits, 6, 0, 0, 0)
    out = [SIGNATURE, chunk(b"IHDR", head), extra]
    out.append(chunk(b"acTL", struct.pack(">II", len(parts), plays)))
    if default is not None:
        out.append(chunk(b"IDAT", _pixels(default, bits)))
    sequence = 0
    for number, part in enumerate(parts):
        place = struct.pack(">IIII", *part.image.size, part.left, part.top)
        how = struct.pack(">HHBB", part.number, part.of, part.dispose, part.blend)
        out.append(chunk(b"fcTL", struct.pack(">I", sequence) + place + how))
        sequence += 1
        if number == 0 and default is None:
            out.append(chunk(b"IDAT", _pixels(part.image, bits)))
        else:
            out.append(chunk(b"fdAT", struct.pack(">I", sequence) + _pixels(part.image, bits)))
            sequence += 1
    return b"".join((*out, chunk(b"IEND", b"")))


def _pixels(image: Image.Image, bits: int) -> bytes:
    values = np.asarray(image.convert("RGBA")).astype(">u2" if bits == 16 else "u1")
    values = values * np.array(257 if bits == 16 else 1, dtype=values.dtype)
    return zlib.compress(b"".join(b"\0" + row.tobytes() for row in values))

"""TIFFs of every kind, whose pixels are known."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.pictures import encoded

WIDTH, HEIGHT = 64, 48

Pixels = NDArray[Any]

HERE = -1
"""In place of an offset: where the data begins."""


def shades() -> Pixels:
    """RGB from 0 to 1: red rises to the right, green downwards, blue in both directions."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x / (WIDTH - 1), y / (HEIGHT - 1), ((x + y) % 32) / 31], 2)


def clear() -> Pixels:
    """Alpha from 0.1 to 1, as one band."""
    _, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    opacity: Pixels = np.clip((x + 6.5) / WIDTH, 0, 1)[:, :, None]
    return opacity


def numbers(values: Pixels, kind: str) -> Pixels:
    """Values from 0 to 1 as numbers of this NumPy kind; integers of their whole range."""
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        return values.astype(dtype)
    # In steps of 1/65535, which floats of 64 bit hold.
    top = np.iinfo(dtype).max
    steps = np.round(values * 65535).astype(np.uint64)
    return (steps * np.uint64(top // 65535) if top > 255 else np.round(values * 255)).astype(dtype)


def tiff(pixels: Pixels, photometric: str = "rgb", **options: Any) -> bytes:
    """The file as tifffile writes it."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, pixels, photometric=photometric, metadata=None, **options)
    return buffer.getvalue()


def planes(pixels: Pixels) -> Pixels:
    """The bands one after the other."""
    return np.ascontiguousarray(np.moveaxis(pixels, 2, 0))


def by_tags(tags: Mapping[int, tuple[int, Sequence[int]]], data: bytes) -> bytes:
    """A file of these tags: of each the code of its type, and its numbers; `HERE` for the data."""
    kinds = {3: "H", 4: "I"}
    sizes = [len(numbers) * struct.calcsize(kinds[kind]) for kind, numbers in tags.values()]
    first = 8 + 2 + 12 * len(tags) + 4
    start = first + sum(size for size in sizes if size > 4)
    entries, values = b"", b""
    for tag, (kind, given) in sorted(tags.items()):
        value = b"".join(
            struct.pack(f"<{kinds[kind]}", start if number == HERE else number) for number in given
        )
        if len(value) > 4:
            values += value
            value = struct.pack("<I", first + len(values) - len(value))
        entries += struct.pack("<HHI", tag, kind, len(given)) + value.ljust(4, b"\0")
    head = struct.pack("<2sHIH", b"II", 42, 8, len(tags))
    return head + entries + bytes(4) + values + data


def page(
    data: bytes, photometric: int, bits: Sequence[int], compression: int = 1, **more: Any
) -> bytes:
    """A file of one strip, `WIDTH` × `HEIGHT`.

    Args:
        more: further tags, by their number with a `t` in front.
    """
    tags: dict[int, tuple[int, Sequence[int]]] = {
        256: (4, [WIDTH]),
        257: (4, [HEIGHT]),
        258: (3, bits),
        259: (3, [compression]),
        262: (3, [photometric]),
        273: (4, [HERE]),
        277: (3, [len(bits)]),
        278: (4, [HEIGHT]),
        279: (4, [len(data)]),
    }
    tags |= {int(name[1:]): value for name, value in more.items()}
    return by_tags(tags, data)


def old_jpeg(image: Image.Image) -> bytes:
    """A picture of `WIDTH` × `HEIGHT` in old-style JPEG compression: all of a JPEG is in the
    file."""
    data = encoded(image, "JPEG", quality=95, subsampling=0)
    return page(
        data,
        6,
        [8, 8, 8],
        compression=6,
        t512=(3, [1]),
        t513=(4, [HERE]),
        t514=(4, [len(data)]),
        t530=(3, [1, 1]),
    )


def ycbcr(image: Image.Image, across: int, down: int) -> bytes:
    """A picture in YCbCr, not compressed, subsampled by so many pixels."""
    values = np.asarray(image.convert("YCbCr"))
    data = bytearray()
    for y in range(0, HEIGHT, down):
        for x in range(0, WIDTH, across):
            block = values[y : y + down, x : x + across]
            data += block[:, :, 0].tobytes()
            data += bytes(round(block[:, :, band].mean()) for band in (1, 2))
    return page(bytes(data), 6, [8, 8, 8], t530=(3, [across, down]))


def bits_12(values: Pixels) -> bytes:
    """Grey from 0 to 1 with 12 bits a sample."""
    bits = np.unpackbits(np.round(values * 4095).astype(">u2").view(np.uint8)).reshape(-1, 16)
    return page(np.packbits(bits[:, 4:]).tobytes(), 1, [12])

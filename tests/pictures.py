"""Pictures for the tests: real photographs from scikit-image, each call a file of its own."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from functools import cache
from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from tests.jxl_reader import register

register()

PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "chelsea": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
}


@cache
def photograph(name: str) -> bytes:
    """The file of one of `PHOTOGRAPHS`, as scikit-image ships it."""
    folder = Path(os.path.dirname(skimage.__file__)) / "data"  # noqa: PTH120
    return (folder / PHOTOGRAPHS[name]).read_bytes()


@cache
def _small() -> bytes:
    return encoded(in_colour("rocket").resize((120, 80)), "JPEG", quality=90)


def snapshot() -> bytes:
    """A photograph of 120 × 80 pixels, some 3 kB of JPEG with an MD5 of its own: for a test to
    which any picture will do. To convert it takes a tenth of the CPU of `photograph("rocket")`."""
    return unique(_small())


def noise(side: int) -> bytes:
    """A JPEG of noise: many bytes of few pixels, 2 for each."""
    pixels = np.random.default_rng().integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encoded(Image.fromarray(pixels), "JPEG", quality=99)


def unique(data: bytes) -> bytes:
    """The same picture with an MD5 of its own: decoders stop before what is appended."""
    return data + secrets.token_bytes(16)


def md5(data: bytes) -> str:
    """The MD5 the server will give the file."""
    return hashlib.md5(data).hexdigest()


@cache
def _decoded(name: str) -> Image.Image:
    return opened(photograph(name)).convert("RGB")


def in_colour(name: str) -> Image.Image:
    """One of `PHOTOGRAPHS`, decoded; a copy, which may be changed."""
    return _decoded(name).copy()


def as_format(name: str, format: str, **options: object) -> bytes:
    """A photograph encoded by Pillow."""
    return encoded(in_colour(name), format, **options)


@cache
def small(name: str, format: str = "JPEG") -> bytes:
    """A photograph at half of its width and height, for which the server finds the quality in a
    thirtieth of the time."""
    return encoded(in_colour(name).reduce(2), format)


@cache
def large(width: int, height: int, format: str = "JPEG") -> bytes:
    """A picture of that size, tiled from the photographs; takes a while to convert."""
    canvas = Image.new("RGB", (width, height))
    tiles = [in_colour(name) for name in PHOTOGRAPHS]
    x = y = turn = 0
    while y < height:
        tile = tiles[turn % len(tiles)]
        canvas.paste(tile, (x, y))
        turn, x = turn + 1, x + tile.width
        if x >= width:
            x, y = 0, y + min(tile.height for tile in tiles)
    return encoded(canvas, format)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """The picture as Pillow writes it."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def opened(data: bytes | bytearray) -> Image.Image:
    """The picture, decoded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image

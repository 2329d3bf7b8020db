"""Strips of a picture's whole width, evenly from top to bottom: a sample of it, wherever its pixels
are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import pyvips
from PIL import Image

STRIPS = 4
"""So many of them."""

BLOCK = 16
"""Pixels of the side of a block of most encoders."""

Picture: TypeAlias = pyvips.Image | Image.Image
"""A picture in memory, of libvips or of Pillow; that of Pillow has 8 bit, grey or red, green and
blue, with or without alpha."""


def bands(picture: Picture) -> int:
    """How many values a pixel has."""
    return len(picture.getbands()) if isinstance(picture, Image.Image) else int(picture.bands)


def to_vips(picture: Image.Image) -> pyvips.Image:
    """The picture in libvips's memory."""
    return in_memory(picture.tobytes(), picture.width, picture.height, bands(picture))


def in_memory(data: bytes | bytearray, width: int, height: int, bands: int) -> pyvips.Image:
    """An image of these values of 8 bit, row by row."""
    image = pyvips.Image.new_from_memory(data, width, height, bands, "uchar")
    return image.copy(interpretation="b-w" if bands < 3 else "srgb")


def sample(picture: Picture, pixels: int) -> tuple[bytes, int]:
    """The bytes of the strips, of about so many pixels together, and their rows."""
    places = _places(picture, pixels)
    return _read(picture, places), sum(rows for _, rows in places)


def even_strips(picture: Picture, pixels: int) -> Image.Image:
    """As `strips`, of which top, width and height are even, as Pillow has it, red, green and blue.

    Args:
        picture: red, green and blue with or without alpha; two pixels wide and high at least.
    """
    if not isinstance(picture, Image.Image):
        picture = picture.extract_band(0, n=3)
        if picture.format != "uchar":
            picture = picture.cast("uchar")
    places = _places(picture, pixels)
    rows = places[0][1] - places[0][1] % 2 or 2
    places = [(min(top - top % 2, picture.height - rows), rows) for top, _ in places]
    height = rows * len(places)
    part = Image.frombytes("RGB", (picture.width, height), _read(picture, places))
    return part.crop((0, 0, picture.width - picture.width % 2, height))


def strips(picture: Picture, pixels: int) -> pyvips.Image:
    """The strips, of about so many pixels together, below each other, as one page, whatever the
    picture's frames were."""
    places = _places(picture, pixels)
    if isinstance(picture, Image.Image):
        rows = sum(rows for _, rows in places)
        return in_memory(_read(picture, places), picture.width, rows, bands(picture))
    return _joined(picture, places)


def _joined(image: pyvips.Image, places: Sequence[tuple[int, int]]) -> pyvips.Image:
    parts = [image.crop(0, top, image.width, rows) for top, rows in places]
    joined = pyvips.Image.arrayjoin(parts, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", joined.height)
    return joined


def aligned_strips(image: pyvips.Image, pixels: int) -> pyvips.Image:
    """As `strips`, in memory, of whole blocks: in a smooth picture seams within blocks are most of
    what an encoder sees.

    Args:
        image: one frame.
    """
    rows = max(1, round(pixels / (STRIPS * image.width * BLOCK))) * BLOCK
    if rows * STRIPS >= image.height:
        return image
    step = (image.height - rows) / (STRIPS - 1)
    return _joined(image, [(int(step * n) // BLOCK * BLOCK, rows) for n in range(STRIPS)])


def upper_halves(strips: pyvips.Image) -> pyvips.Image:
    """Those of the strips that `aligned_strips` has made of a larger picture, in memory."""
    rows = strips.height // STRIPS
    return _joined(strips, [(rows * n, rows // 2) for n in range(STRIPS)]).copy_memory()


def _read(picture: Picture, places: Sequence[tuple[int, int]]) -> bytes:
    """The bytes of strips, read without a step of libvips for each: that would take longer."""
    width = picture.width
    if isinstance(picture, Image.Image):
        parts = (picture.crop((0, top, width, top + rows)).tobytes() for top, rows in places)
    else:
        region = pyvips.Region.new(picture)
        parts = (bytes(region.fetch(0, top, width, rows)) for top, rows in places)
    return b"".join(parts)


def _places(picture: Picture, pixels: int) -> list[tuple[int, int]]:
    """Top and height of the strips, of about so many pixels together; all of a small picture."""
    rows, height = -(-pixels // (STRIPS * picture.width)), picture.height
    if rows * STRIPS >= height:
        return [(0, height)]
    step = (height - rows) / (STRIPS - 1)
    return [(int(step * n), rows) for n in range(STRIPS)]

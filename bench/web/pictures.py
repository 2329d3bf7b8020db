"""The pictures that the web process gets: what counts is how many bytes they have."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bench.errors import BenchError
from bench.pictures import make_photographs

_SEED = 20240229


def small_pictures(side: int, series: int = 0) -> Iterator[bytes]:
    """PNGs of `side` × `side` pixels, each another one, the same ones each time for a `series`."""
    random = np.random.default_rng(_SEED + 1000 * series + side)
    shades = np.linspace(0, 120, side, dtype=np.uint8)
    while True:
        pixels = shades[:, None, None] + random.integers(0, 120, (4, 4, 3), np.uint8).repeat(
            side // 4, 0
        ).repeat(side // 4, 1)
        yield _encode(Image.fromarray(pixels), "PNG")


def small_files(folder: Path, side: int, count: int) -> list[Path]:
    """Files of the first so many `small_pictures`."""
    paths = [folder / f"{side}-{number}.png" for number in range(count)]
    for path, data in zip(paths, small_pictures(side), strict=False):
        path.write_bytes(data)
    return paths


def jpeg_of(size: int, folder: Path) -> bytes:
    """A photograph of about `size` bytes."""
    photograph = Image.open(make_photographs(folder, 1)[0])
    best = min(
        (_encode(photograph, "JPEG", quality=quality) for quality in range(70, 96)),
        key=lambda data: abs(len(data) - size),
    )
    if abs(len(best) - size) > size // 10:
        raise BenchError(f"no quality gives a JPEG of about {size} bytes")
    return best


def noise(size: int) -> bytes:
    """A PNG of about `size` bytes that hardly gets smaller."""
    side = round((size / 3) ** 0.5)
    pixels = np.random.default_rng(_SEED).integers(0, 256, (side, side, 3), np.uint8)
    return _encode(Image.fromarray(pixels), "PNG", compress_level=0)


def _encode(image: Image.Image, format: str, **options: int) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()

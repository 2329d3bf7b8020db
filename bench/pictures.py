"""The photographs that are converted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.errors import BenchError
from imaging.formats.recognise import HEAD_SIZE, picture_type

SOURCES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg")
"""The photographs in scikit-image's wheel, of about 0.25 megapixels each."""

PHOTOGRAPHS = (
    *("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png"),
    *("hubble_deep_field.jpg", "ihc.png"),
)
GRAPHICS = (
    *("logo.png", "page.png", "text.png", "color.png", "chessboard_RGB.png", "horse.png"),
    "phantom.png",
)
"""More of what is in scikit-image's wheel; as they are, of 0.1 to 0.9 megapixels."""

WIDTH, HEIGHT = 2048, 1536
"""Pixels of a picture made here: 3.1 megapixels."""

TILE = 256
"""Pixels of a tile's side: fits into the smallest source, and is whole blocks of a JPEG."""

JPEG_QUALITY = 92
"""What cameras write."""

DISTINCT = 32
"""Pictures made here; a run that needs more uses them again, under other MD5s."""

_SEED = 20240229

Pixels = NDArray[np.uint8]


def make_photographs(
    folder: Path, count: int, *, width: int = WIDTH, height: int = HEIGHT
) -> list[Path]:
    """`count` pictures in `folder`, `DISTINCT` at most, the same ones each time.

    Each is a mosaic of pieces of real photographs in their own resolution: enlarged ones would have
    less detail than a photograph has, and encoders are slow where there is detail.
    """
    sources = [_read_source(name) for name in SOURCES]
    random_source = random.Random(_SEED)
    photographs = []
    for number in range(min(count, DISTINCT)):
        path = folder / f"{number:03}.jpg"
        Image.fromarray(_mosaic(sources, random_source, width, height)).save(
            path, quality=JPEG_QUALITY
        )
        photographs.append(path)
    return photographs


def saved_as(format: str, pictures: Sequence[Path], folder: Path) -> list[Path]:
    """The pictures in another format, as files of `folder` with its name."""
    saved = []
    for picture in pictures:
        path = folder / f"{picture.stem}.{format}"
        with Image.open(picture) as image:
            image.save(path)
        saved.append(path)
    return saved


def shipped(names: Sequence[str]) -> list[Path]:
    """The files of scikit-image's wheel with these names.

    Raises:
        BenchError: if it is not installed.
    """
    # The files are read as they are: scikit-image's own loader may go to the network.
    package = find_spec("skimage")
    if package is None or package.origin is None:
        raise BenchError("scikit-image is not installed; name a folder with --pictures")
    return [Path(package.origin).parent / "data" / name for name in names]


def find_photographs(folder: Path, count: int) -> list[Path]:
    """The first `count` pictures of the user's `folder`, by name.

    Raises:
        BenchError: if there is none.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and _looks_right(path))
    except OSError as error:
        raise BenchError(f"{folder}: {error.strerror}") from None
    if not files:
        raise BenchError(f"there are no pictures in {folder}")
    return files[:count]


def _read_source(name: str) -> Pixels:
    with Image.open(shipped([name])[0]) as image:
        return np.asarray(image.convert("RGB"))


def _mosaic(sources: list[Pixels], random_source: random.Random, width: int, height: int) -> Pixels:
    """Whole tiles."""
    picture = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            source = random_source.choice(sources)
            y = random_source.randint(0, source.shape[0] - TILE)
            x = random_source.randint(0, source.shape[1] - TILE)
            tile = source[y : y + TILE, x : x + TILE]
            flip = random_source.choice((1, -1))
            picture[top : top + TILE, left : left + TILE] = tile[:, ::flip]
    return picture


def _looks_right(path: Path) -> bool:
    with path.open("rb") as file:
        return picture_type(file.read(HEAD_SIZE)) is not None

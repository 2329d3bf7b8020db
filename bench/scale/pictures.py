"""The pictures that a scale is measured on."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil, sqrt
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import BenchError
from bench.graphics import NAMES, make_graphics
from imaging.limits import Limits

if TYPE_CHECKING:
    import pyvips

HELD_OUT = 4
"""Of each source one photograph in so many is held out: no table is fitted to it. Sources differ in
their looks by more than the means may be off, so a split without regard to them would tell of the
sources."""

MEGAPIXELS = (0.1, 0.2, 0.35, 0.15, 0.25, 0.6, 0.1, 0.2, 0.3, 1.0)
"""What a picture has at most: one of these."""

PIECES = 3
"""One photograph in so many is a piece of the whole."""

_DIVISOR = 3
"""The hash of a name is divided by it first, so that pictures stay as they were measured before."""

LEAST_SIDE = 256
"""Pixels of the shorter side of a picture, below which it is left out."""

DRAWN_STEP = 5
"""Of the graphics that are drawn here one in so many is taken."""

_LOSSY = (".jpg", ".jpeg", ".webp", ".avif", ".heic")


class Kind(StrEnum):
    """The folders that sources are in."""

    PHOTOGRAPH = "photographs"
    GRAPHIC = "graphics"


class Group(StrEnum):
    """What pictures are measured for."""

    FITTED = "fitted"
    """Photographs that tables are fitted to."""
    HELD_OUT = "held-out"
    """Photographs that they are tried on."""
    GRAPHICS = "graphics"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture."""

    kind: Kind
    source: str
    file: Path
    is_held_out: bool = False
    """Whether no table is fitted to it."""

    @property
    def name(self) -> str:
        """Different for each."""
        return f"{self.kind}/{self.source}/{self.file.name}"

    @property
    def group(self) -> Group:
        """What it is measured for."""
        if self.kind is Kind.GRAPHIC:
            return Group.GRAPHICS
        return Group.HELD_OUT if self.is_held_out else Group.FITTED

    @property
    def pixels(self) -> float:
        """What it has at most."""
        return MEGAPIXELS[digest(self.name) // _DIVISOR % len(MEGAPIXELS)] * 1e6

    @property
    def is_whole(self) -> bool:
        """Whether it is made smaller, in place of a piece cut out."""
        turn = digest(self.name) // _DIVISOR // len(MEGAPIXELS)
        return self.kind is Kind.PHOTOGRAPH and turn % PIECES > 0


def digest(name: str) -> int:
    """A number that tells what becomes of a picture, and its place among those of its source."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def least_factor(name: str) -> int:
    """By how much a picture with this file name is made smaller at least."""
    return 2 if Path(name).suffix.lower() in _LOSSY else 1


def pictures_in(folder: Path) -> list[Picture]:
    """The pictures of a folder with the folders `photographs` and `graphics`, in each of these a
    folder for each source; and of the graphics that are drawn here.

    They come in turns from all sources, so that the first of them are a sample of all. Of the
    photographs of a source, in the order of their hashes, the first of each `HELD_OUT` is held
    out.

    Raises:
        BenchError: if there is no photograph.
    """
    sources = {
        (kind, place.name): _files(kind, place)
        for kind in Kind
        for place in sorted((folder / kind).glob("*"))
        if place.is_dir()
    }
    if not any(files for (kind, _), files in sources.items() if kind is Kind.PHOTOGRAPH):
        raise BenchError(f"there are no pictures in {Kind.PHOTOGRAPH}/SOURCE of the folder")
    in_turns = [
        (number / len(files), number, kind, source, file)
        for (kind, source), files in sources.items()
        for number, file in enumerate(files)
    ]
    return [
        Picture(kind, source, file, kind is Kind.PHOTOGRAPH and number % HELD_OUT == 0)
        for _, number, kind, source, file in sorted(in_turns)
    ]


def with_drawn(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A temporary folder with what is in `folder`, and with the graphics that are drawn here."""
    made = tempfile.TemporaryDirectory(prefix="tinyimage-bench-")
    drawn = Path(made.name) / Kind.GRAPHIC / "drawn"
    drawn.mkdir(parents=True)
    make_graphics(drawn, NAMES[::DRAWN_STEP])
    for kind in Kind:
        (Path(made.name) / kind).mkdir(exist_ok=True)
        for place in (folder / kind).glob("*"):
            (Path(made.name) / kind / place.name).symlink_to(place.resolve())
    return made


def _files(kind: Kind, place: Path) -> list[Path]:
    files = [path for path in place.iterdir() if path.is_file()]
    return sorted(files, key=lambda file: digest(Picture(kind, place.name, file).name))


def prepared(pictures: Sequence[Picture]) -> Iterator[tuple[Picture, pyvips.Image]]:
    """Each picture as it is measured: upright, sRGB of 8 bit, without alpha, in memory. One that is
    too small is left out.

    A file that is lossy is made smaller by 2 at least, by the mean of each square of pixels, so
    that nothing is left of its own blocks. Then a photograph is made as small as its `pixels`, and
    of a graphic, and of one photograph in `PIECES`, so large a piece of the middle is cut out.
    """
    for picture in pictures:
        image = _upright(picture.file)
        least, pixels = least_factor(picture.file.name), picture.pixels
        factor = least
        if picture.is_whole:
            factor = max(least, ceil(sqrt(image.width * image.height / pixels)))
        factor = max(least, min(factor, min(image.width, image.height) // LEAST_SIDE))
        image = image.shrink(factor, factor) if factor > 1 else image
        if min(image.width, image.height) < LEAST_SIDE:
            continue
        share = min(1, sqrt(pixels / (image.width * image.height)))
        width = max(LEAST_SIDE, int(image.width * share))
        height = max(LEAST_SIDE, int(image.height * share))
        left, top = (image.width - width) // 2, (image.height - height) // 2
        yield picture, image.crop(left, top, width, height).copy_memory()


def _upright(file: Path) -> pyvips.Image:
    from imaging.decode import decode
    from imaging.steps.background import flatten
    from imaging.steps.colour import to_srgb

    image = flatten(to_srgb(decode(file.read_bytes(), Limits(2**31)).image.autorot()), None)
    return image.colourspace("srgb").cast("uchar").copy_memory()

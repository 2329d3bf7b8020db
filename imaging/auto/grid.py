"""Tiles of a large picture, as a sample for an encoder whose blocks are each written alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

TILE, MARGIN = 128, 8
"""Pixels of a tile's side, and around it those that are encoded and not looked at: whole blocks of
16 together. The chroma of a pixel beside a block is mixed with that beyond it."""

BLOCK = 16
"""Pixels of the side of a block, chroma of half the size in it."""

CELL = 160
"""Pixels of a side of the picture that a tile takes up at least, wherever the blocks begin."""

TILES = 63
"""So many of them, about."""

SHARE = 4
"""One of so many tiles is among a few of them."""

SEAMS, FEW_SEAMS = 1 / 1.053, 1 / 1.07
"""Those of all tiles, with which the median of 66 pictures of 1.9 to 4.1 megapixels is right, and
those of few. Single pictures are off by 0.75 points (standard deviation), and by 2 and more."""

_WHOLE = TILE + 2 * MARGIN


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles of one picture, beside each other in rows."""

    places: Sequence[tuple[int, int]]
    """Left and top of each."""
    seams: float
    """Its distance from 100 over that of the whole picture: beside a seam less is seen."""

    def of(self, picture: Image.Image) -> Image.Image:
        """The tiles with what is around them."""
        boxes = [(left - MARGIN, top - MARGIN) for left, top in self.places]
        return self._joined(picture, boxes, _WHOLE)

    def without_margins(self, tiles: Image.Image) -> Image.Image:
        """The tiles, of what `of` gives or what became of that."""
        across = self._across
        boxes = [
            (number % across * _WHOLE + MARGIN, number // across * _WHOLE + MARGIN)
            for number in range(len(self.places))
        ]
        return self._joined(tiles, boxes, TILE)

    def look_of_whole(self, look: float) -> float:
        """SSIMULACRA2 of the picture, by that of its tiles beside each other."""
        return 100 - (100 - look) / self.seams

    def _joined(
        self, picture: Image.Image, boxes: Sequence[tuple[int, int]], side: int
    ) -> Image.Image:
        across = self._across
        size = across * side, len(boxes) // across * side
        joined = Image.new(picture.mode, size, None)  # all of it is pasted over
        for number, (left, top) in enumerate(boxes):
            tile = picture.crop((left, top, left + side, top + side))
            joined.paste(tile, (number % across * side, number // across * side))
        return joined

    @property
    def _across(self) -> int:
        return _across(len(self.places))


def grids(width: int, height: int) -> tuple[Grid, Grid]:
    """A few tiles of a picture of this size, in pixels, and all of them, evenly over it.

    Args:
        width, height: of 1.5 megapixels and more.
    """
    columns = min(width // CELL, max(1, round(math.sqrt(TILES * math.sqrt(width / height)))))
    rows = min(height // CELL, max(1, round(TILES / columns)))
    places = [
        (row + column, (_start(width, columns, column), _start(height, rows, row)))
        for row in range(rows)
        for column in range(columns)
    ]
    few = [place for number, place in places if number % SHARE == 1]
    return Grid(_whole_rows(few), FEW_SEAMS), Grid(_whole_rows([each for _, each in places]), SEAMS)


def _start(side: int, count: int, number: int) -> int:
    """Where a tile begins, in the middle of what it stands for."""
    middle = (2 * number + 1) * side // (2 * count)
    return (middle - TILE // 2) // BLOCK * BLOCK + MARGIN


def _whole_rows(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """As many of them as fill rows, two at least."""
    while _across(len(places)) == 1:
        places = places[:-1]
    return places


def _across(count: int) -> int:
    """How many of so many tiles are in a row: a divisor, next to the root."""
    return next(each for each in range(math.isqrt(count), 0, -1) if count % each == 0)

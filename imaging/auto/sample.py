"""A sample of a picture: some of its tiles side by side, or strips of its whole width."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyvips

TILE = 128
"""Pixels of a tile's side: whole blocks of every encoder, 64 of AV1 among them."""

ALIGNED = 64
"""Tiles begin at a multiple of so many pixels."""

SIDE, TILES = 4, 16
"""Tiles beside each other, and all of them, evenly over the picture. Of 62 pictures of 0.5 to 5
megapixels that scored 77, these were nearest to the whole, with a standard deviation of 0.8 points;
four of 256 pixels, chosen by their detail, had 0.9 to 1.8."""

SEAMS = 0.963
"""Distance from 100 of a sample over that of the whole, by the same measurement: beside an edge
less is seen, and a sample has edges between its tiles."""

LOW = 2 * TILE
"""Rows of a picture that has room for one row of tiles alone, which would miss what is below it:
below so many its tiles are as high as itself. Of a narrow one they are as wide."""

LARGE_PIXELS = 1_500_000
"""Pixels of the largest picture of which tiles are taken, and of a larger one strips."""

STRIPS_PIXELS = 400_000
"""What the strips of a narrow picture have together, at least, and the columns of a low one."""

STRIPS_LEAST = 1.3
"""Rows of the lowest picture of which strips are taken, over those of the strips."""

STRIPS_ALIGNED = 16
"""Strips begin at a multiple of so many pixels: the blocks of a JPEG."""


@dataclass(frozen=True, slots=True)
class Strips:
    """How many strips are taken, evenly over the height of a picture."""

    count: int
    height: int
    """Pixels of one."""
    seams: float
    """As `SEAMS`; they have no seams at the left and right."""


LOW_STRIPS = Strips(4, 64, 0.935)
"""Of 28 pictures of 2 to 5 megapixels, as JPEGs that scored 68 to 85, these were within 0.7 points
of the whole (standard deviation). Sixteen tiles had 2.0 and missed up to 8 points, where most of a
picture is smooth; four of 256 pixels 2.6. Of the seams 13 pictures have 0.926 as WebP, and five
0.938 and 0.955 in the two slow formats."""

HIGH_STRIPS = Strips(4, 128, 0.98)
"""What is looked at in place of a whole file: nothing is encoded for it. Of 33 pictures of 2 to 4
megapixels, as WebPs, they were within 0.5 points of the whole (standard deviation, 1.7 at most),
and four low ones within 0.9 (2.4 at most)."""

WHOLE = 1.25
"""Pixels of the largest picture that is its own sample, over those of the tiles with what is around
them."""

MARGIN = 16
"""Pixels around each tile that are encoded with it and not looked at, by an encoder of which a
seam is seen some pixels beyond it: it took up to 14 points off WebP, and off JPEG none."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Where the tiles of a picture are, in rows of as many each."""

    lefts: tuple[int, ...]
    tops: tuple[int, ...]
    width: int
    """Pixels of a tile."""
    height: int
    margin: int = 0
    """Pixels around a tile where it is encoded."""
    seams: float = SEAMS
    """Its distance from 100 over that of the whole."""

    def of(self, image: pyvips.Image) -> pyvips.Image:
        """The tiles of an image of the picture's size, in memory.

        Args:
            image: in memory, if there are several tiles.
        """
        return self._joined(
            [
                image.crop(left, top, self.width, self.height)
                for top in self.tops
                for left in self.lefts
            ]
        )

    def with_margins(self, image: pyvips.Image) -> pyvips.Image:
        """The tiles as they are to be encoded, each with what is around it in the picture."""
        if self.is_whole or not self.margin:
            return self.of(image)
        return self._joined(
            [self._with_margin(image, left, top) for top in self.tops for left in self.lefts]
        )

    def without_margins(self, image: pyvips.Image) -> pyvips.Image:
        """What `of` gives, of what became of that."""
        image = image.copy_memory()
        if self.is_whole or not self.margin:
            return image
        width, height = self.width + 2 * self.margin, self.height + 2 * self.margin
        return self._joined(
            [
                image.crop(
                    column * width + self.margin,
                    row * height + self.margin,
                    self.width,
                    self.height,
                )
                for row in range(len(self.tops))
                for column in range(len(self.lefts))
            ]
        )

    def _with_margin(self, image: pyvips.Image, left: int, top: int) -> pyvips.Image:
        """A tile, whose margin goes on at the picture's border as the picture ends."""
        from_left, from_top = max(0, left - self.margin), max(0, top - self.margin)
        to_right = min(image.width, left + self.width + self.margin)
        to_bottom = min(image.height, top + self.height + self.margin)
        part = image.crop(from_left, from_top, to_right - from_left, to_bottom - from_top)
        width, height = self.width + 2 * self.margin, self.height + 2 * self.margin
        if part.width == width and part.height == height:
            return part
        x, y = from_left - left + self.margin, from_top - top + self.margin
        return part.embed(x, y, width, height, extend="copy")

    def _joined(self, tiles: list[pyvips.Image]) -> pyvips.Image:
        if len(tiles) == 1:
            return tiles[0].copy_memory()
        return pyvips.Image.arrayjoin(tiles, across=len(self.lefts)).copy_memory()

    @property
    def is_whole(self) -> bool:
        """Whether it is the picture itself."""
        return len(self.lefts) * len(self.tops) == 1

    def look_of_whole(self, look: float) -> float:
        """SSIMULACRA2 of the picture, by that of its tiles beside each other."""
        return look if self.is_whole else 100 - (100 - look) / self.seams


def is_large(width: int, height: int) -> bool:
    """Whether the sample of a picture of this size, in pixels, is of strips."""
    return width * height > LARGE_PIXELS


def whole(width: int, height: int) -> Sample:
    """All of a picture of this size, in pixels."""
    return Sample((0,), (0,), width, height)


def sample(width: int, height: int, margin: int) -> Sample:
    """That of a picture of this size, in pixels: strips of a large one, and all of a small one.

    Args:
        margin: pixels around a tile where it is encoded.
    """
    if is_large(width, height):
        return strips(width, height, margin, LOW_STRIPS)
    if width * height <= WHOLE * TILES * (TILE + 2 * margin) ** 2:
        return whole(width, height)
    if height < LOW:
        return _columns(width, height, margin, TILES * TILE**2)
    if width < LOW:
        count = -(-TILES * TILE // width)
        return Sample((0,), _aligned(height, TILE, count), width, TILE, margin)
    lefts = _starts(width, SIDE)
    return Sample(lefts, _starts(height, TILES // len(lefts)), TILE, TILE, margin)


def strips(width: int, height: int, margin: int, usual: Strips) -> Sample:
    """That of a large picture of this size, in pixels: columns where it is too low for strips.

    Args:
        margin: as for `sample`.
        usual: how many there are where they are long enough.
    """
    rows = usual.height
    count = max(usual.count, -(-STRIPS_PIXELS // (width * rows)))
    if height < STRIPS_LEAST * count * rows:
        return _columns(width, height, margin, STRIPS_PIXELS)
    return Sample((0,), _aligned(height, rows, count), width, rows, margin, usual.seams)


def _columns(width: int, height: int, margin: int, pixels: int) -> Sample:
    """Tiles of the whole height of a low picture, which have so many pixels together, or more."""
    count = -(-pixels // (TILE * height))
    return Sample(_aligned(width, TILE, count), (0,), TILE, height, margin)


def _aligned(side: int, part: int, count: int) -> tuple[int, ...]:
    """Where strips or columns begin along a side, each in the middle of as much of it as others."""
    starts = ((2 * n + 1) * side // (2 * count) - part // 2 for n in range(count))
    return tuple(start // STRIPS_ALIGNED * STRIPS_ALIGNED for start in starts)


def tiles(width: int, height: int, count: int) -> Sample:
    """About so many tiles of a picture of this size, in pixels, evenly over it.

    Args:
        width, height: `TILE` or more.
    """
    columns, rows = width // TILE, height // TILE
    across = min(columns, max(1, round(math.sqrt(count * columns / rows))))
    down = min(rows, -(-count // across))
    return Sample(_middles(width, across), _middles(height, down), TILE, TILE)


def _middles(side: int, count: int) -> tuple[int, ...]:
    """Where tiles begin along a side, each in the middle of as much of it as others."""
    return tuple(int((n + 0.5) * side / count) - TILE // 2 for n in range(count))


def _starts(side: int, most: int) -> tuple[int, ...]:
    """Where tiles begin along a side of `TILE` pixels or more: `most` at most, evenly."""
    places = side // TILE
    count = min(most, places)
    margin = (side - places * TILE) // 2 // ALIGNED * ALIGNED
    return tuple(margin + int((n + 0.5) * places / count) * TILE for n in range(count))

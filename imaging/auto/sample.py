"""A sample of a picture: some of its tiles side by side, or strips of its whole width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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

STRIP, STRIPS, FEW_STRIPS = 64, 8, 4
"""Pixels of a strip's height, and how many there are, evenly over the picture; fewer where an
encoder takes long. Of 57 pictures of 2 to 4.5 megapixels, as JPEGs that scored 67 to 85, eight were
within 0.7 points of the whole (standard deviation, 1.9 at most), and six within 0.8. Of 28 others,
with six at 0.6, sixteen tiles had 2.0 and missed up to 8 points, where most of a picture is smooth;
four of 256 pixels had 2.6."""

SEAM = 1
"""Rows beside a seam that are the picture's own where strips have no margin: the chroma of a JPEG's
row there is mixed with that beyond it, which took up to 3 points. Margins would be half as many
pixels again to encode."""

STRIPS_SEAMS, FEW_SEAMS = 0.946, 0.935
"""As `SEAMS`, of strips with `SEAM`, which have no seams at the left and right, of 57 pictures as
JPEGs; and of few of them with margins, where 13 pictures have 0.926 as WebP, and five have 0.938
and 0.955 in the two slow formats."""

STRIPS_PIXELS = 400_000
"""What the strips of a narrow picture have together, at least."""

STRIPS_LEAST = 1.3
"""Rows of the lowest picture of which strips are taken, over those of the strips."""

STRIPS_ALIGNED = 16
"""Strips begin at a multiple of so many pixels: the blocks of a JPEG."""

WHOLE = 1.25
"""Pixels of the largest picture that is its own sample, over those of the tiles with what is around
them."""

MARGIN = 16
"""Pixels around each tile, and above and below each strip, that are encoded with it and not looked
at, by an encoder of which a seam is seen some pixels beyond it: it took up to 14 points off WebP,
and off JPEG none."""


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
        if self.is_of_strips:
            return _rows((image, top, self.height) for top in self.tops)
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
        if self.is_of_strips:
            height = self.height + 2 * self.margin
            return _rows((image, top - self.margin, height) for top in self.tops)
        return self._joined(
            [self._with_margin(image, left, top) for top in self.tops for left in self.lefts]
        )

    def without_margins(self, image: pyvips.Image) -> pyvips.Image:
        """What `of` gives, of what became of that, in memory."""
        if self.is_whole or not self.margin:
            return image
        width, height = self.width + 2 * self.margin, self.height + 2 * self.margin
        if self.is_of_strips:
            tops = (number * height + self.margin for number in range(len(self.tops)))
            return _rows((image, top, self.height) for top in tops)
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

    def mended(self, image: pyvips.Image, original: pyvips.Image) -> pyvips.Image:
        """What became of strips without margins, with the rows beside their seams as they were.

        Args:
            original: what `of` gives, with as many bands as `image`.
        """
        tops = range(0, image.height, self.height)
        return _rows(
            (part, top + row, height)
            for top in tops
            for part, row, height in (
                (original, 0, SEAM),
                (image, SEAM, self.height - 2 * SEAM),
                (original, self.height - SEAM, SEAM),
            )
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

    @property
    def is_of_strips(self) -> bool:
        """Whether it is of strips of the whole width."""
        return self.height == STRIP and not self.is_whole

    @property
    def factor(self) -> float:
        """The picture's distance from 100 over that of the sample."""
        return 1.0 if self.is_whole else 1 / self.seams


def sample(width: int, height: int, margin: int, tiles: int = TILES) -> Sample:
    """That of a picture of this size, in pixels; all of a small one.

    Args:
        margin: pixels around a tile where it is encoded.
        tiles: how many there are at most, `SIDE` or more.
    """
    if width * height <= WHOLE * tiles * (TILE + 2 * margin) ** 2:
        return Sample((0,), (0,), width, height)
    lefts = _starts(width, SIDE)
    return Sample(lefts, _starts(height, tiles // len(lefts)), TILE, TILE, margin)


def strips(width: int, height: int, margin: int, usual: int = STRIPS) -> Sample:
    """That of a large picture of this size, in pixels: tiles where it is too low for strips.

    Args:
        margin: as for `sample`.
        usual: how many there are where they are long enough.
    """
    count = max(usual, -(-STRIPS_PIXELS // (width * STRIP)))
    if height < STRIPS_LEAST * count * STRIP:
        return sample(width, height, margin)
    lowest = height - STRIP - margin
    tops = ((2 * n + 1) * height // (2 * count) - STRIP // 2 for n in range(count))
    inside = (max(margin, min(top, lowest)) for top in tops)
    aligned = tuple(top // STRIPS_ALIGNED * STRIPS_ALIGNED for top in inside)
    seams = STRIPS_SEAMS if usual == STRIPS else FEW_SEAMS
    return Sample((0,), aligned, width, STRIP, margin, seams)


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


def _rows(parts: Iterable[tuple[pyvips.Image, int, int]]) -> pyvips.Image:
    """Rows of images in memory, by the first one and how many, below each other: in a tenth of the
    time that libvips takes to join them."""
    rows: list[Any] = []
    count = 0
    for image, top, height in parts:
        rows.append(pyvips.Region.new(image).fetch(0, top, image.width, height))
        count += height
    joined = pyvips.Image.new_from_memory(
        b"".join(rows), image.width, count, image.bands, image.format
    )
    return joined.copy(interpretation=image.interpretation)


def _starts(side: int, most: int) -> tuple[int, ...]:
    """Where tiles begin along a side of `TILE` pixels or more: `most` at most, evenly."""
    places = side // TILE
    count = min(most, places)
    margin = (side - places * TILE) // 2 // ALIGNED * ALIGNED
    return tuple(margin + int((n + 0.5) * places / count) * TILE for n in range(count))

"""A quality is tried on tiles of a large picture, where they look in a file of their own as in that
of the whole: no file of that is written but the result."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from imaging import look
from imaging.auto.grid import Grid, grids
from imaging.auto.large_looks import LargeLooks, usual_power
from imaging.auto.qualities import Qualities, Tried
from imaging.auto.search import Found, chosen
from imaging.codec import NO_METADATA, Large, Purpose, Sought
from imaging.options import Effort
from imaging.write import chroma

LOOKS = 2
"""How often all tiles are encoded at most, after a few of them."""

NEAR = 3.0
"""Points from the look that is wanted, within which the way to its quality is known."""

NEAR_OF_JPEG = 2.0
"""The same of a picture that was a JPEG, whose quantisers have put steps into how it looks."""


@dataclass(frozen=True, slots=True)
class LargeSearch:
    """For one picture.

    Args:
        picture: grey or red, green and blue.
        large: how it is written.
        look: SSIMULACRA2 that is wanted.
        bounds: the least and the largest quality.
        of_jpeg: whether the picture was a JPEG, of the same size.
    """

    picture: Image.Image
    large: Large
    look: float
    bounds: tuple[int, int]
    effort: Effort
    of_jpeg: bool = False

    def run(self) -> Found:
        """The file, without metadata."""
        looks = LargeLooks(self.large.looks, Qualities(*self.bounds).all())
        sought = Sought(
            looks.first(self.look),
            self.effort,
            NO_METADATA,
            chroma.is_fine(self.picture),
            Purpose.LOOK,
            of_large=True,
        )
        few, every = (
            _Tiles(self.picture, grid, self.large, sought)
            for grid in grids(self.picture.width, self.picture.height)
        )
        curve = self._by_few(few, looks)
        self._by_all(every, curve)
        last, quality = curve.tried[-1], curve.following
        if quality != last[0] and self._is_across_steps(last):
            self._on_the_way(few, curve, quality)
            quality = curve.following
        result = replace(sought, quality=quality, purpose=Purpose.RESULT)
        return Found(self.large.seek(self.picture, result), chosen(quality, curve.look(quality)))

    def _by_few(self, few: _Tiles, looks: LargeLooks) -> _Curve:
        """What a few tiles tell."""
        first = few.tried(looks.first(self.look))
        curve = _Curve(looks, self.look, usual_power(few.bits), [first])
        following = curve.following
        if following != first[0] and self._is_across_steps(first):
            curve.add(few.tried(following), are_alike=True)
        return curve

    def _by_all(self, every: _Tiles, curve: _Curve) -> None:
        """Have the curve go through looks at all tiles; of few only how steep it was remains."""
        curve.begin_again(every.tried(curve.following))
        for _ in range(1, LOOKS):
            (quality, look), following = curve.tried[-1], curve.following
            if following == quality or abs(look - self.look) <= NEAR:
                return
            curve.add(every.tried(following), are_alike=True)

    def _on_the_way(self, few: _Tiles, curve: _Curve, following: float) -> None:
        """Have few tiles, which take a quarter of the time, tell what is on the way from the last
        look at all of them to the quality that follows."""
        quality, look = curve.tried[-1]
        (_, here), (_, there) = few.tried(quality), few.tried(following)
        ratio = (100 - there) / max(0.1, 100 - here)
        curve.tried = [(quality, look)]
        curve.add((following, 100 - (100 - look) * ratio), are_alike=True)

    def _is_across_steps(self, tried: Tried) -> bool:
        """Whether steps may be on the way from a look to the one that is wanted."""
        return self.of_jpeg and abs(tried[1] - self.look) > NEAR_OF_JPEG


@dataclass(slots=True)
class _Curve:
    """How one picture looks at each quality, as far as that is known.

    Args:
        wanted: the look.
        power: how its distance from 100 follows the typical one.
        tried: one or two qualities and its looks there.
    """

    looks: LargeLooks
    wanted: float
    power: float
    tried: list[Tried]

    @property
    def following(self) -> float:
        """The quality that is nearest to the look that is wanted."""
        return self.looks.following(self.tried, self.wanted, self.power)

    def look(self, quality: float) -> float:
        """That at a quality."""
        return self.looks.look(self.tried, quality, self.power)

    def add(self, tried: Tried, *, are_alike: bool) -> None:
        """Learn by one more look.

        Args:
            are_alike: whether it is of the same tiles as the last one.
        """
        last = self.tried[-1]
        self.power = self.looks.power(last, tried, self.power, are_alike=are_alike)
        self.tried.append(tried)

    def begin_again(self, tried: Tried) -> None:
        """Learn by a first look at other tiles: of those before only how steep it is remains."""
        self.add(tried, are_alike=False)
        self.tried = [tried]


class _Tiles:
    """Some of a picture."""

    def __init__(self, picture: Image.Image, grid: Grid, large: Large, sought: Sought) -> None:
        """
        Args:
            sought: how they are encoded, at whatever quality.
        """
        self._grid, self._large, self._sought = grid, large, sought
        self._tiles = grid.of(picture)
        self._reference = look.reference(self._seen(self._tiles), picture.width)
        self.bits = 0.0
        """Those of each pixel that was encoded last."""

    def tried(self, quality: float) -> Tried:
        """The quality, and SSIMULACRA2, 100 at most, of what becomes of them, as the whole picture
        has it."""
        data = self._large.seek(self._tiles, replace(self._sought, quality=quality))
        self.bits = len(data) * 8 / (self._tiles.width * self._tiles.height)
        score = self._reference.score(self._seen(self._large.read(data)))
        return quality, self._grid.look_of_whole(score)

    def _seen(self, tiles: Image.Image) -> Image.Image:
        """Those pixels that are looked at, red, green and blue."""
        seen = self._grid.without_margins(tiles)
        return seen if seen.mode == "RGB" else seen.convert("RGB")

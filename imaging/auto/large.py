"""A quality is tried on tiles of a large picture, where they look in a file of their own as in that
of the whole: no file of that is written but the result."""

from __future__ import annotations

from dataclasses import dataclass

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
        whole_chroma = chroma.is_fine(self.picture)

        def sought(quality: float, purpose: Purpose) -> Sought:
            return Sought(quality, self.effort, NO_METADATA, whole_chroma, purpose, of_large=True)

        def seen(tiles: _Tiles, quality: float) -> Tried:
            return quality, tiles.look(sought(quality, Purpose.LOOK))

        curve = LargeLooks(self.large.looks, Qualities(*self.bounds).all())
        few, every = (
            _Tiles(self.picture, grid, self.large)
            for grid in grids(self.picture.width, self.picture.height)
        )
        of_few = [seen(few, curve.first(self.look))]
        power = usual_power(few.bits)
        quality = curve.following(of_few, self.look, power)
        if quality != of_few[0][0] and self._is_across_steps(of_few[0]):
            of_few.append(seen(few, quality))
            power = curve.power(of_few[0], of_few[1], power, are_alike=True)
            quality = curve.following(of_few, self.look, power)
        before, tried = of_few[-1], list[Tried]()
        while True:
            tried.append(seen(every, quality))
            power = curve.power(before, tried[-1], power, are_alike=len(tried) > 1)
            quality = curve.following(tried, self.look, power)
            last, its_look = before = tried[-1]
            is_known = quality == last or abs(its_look - self.look) <= NEAR
            if is_known or len(tried) == LOOKS:
                break
        if quality != last and self._is_across_steps(before):
            # Few tiles, which take a quarter of the time, tell what is on the way.
            (_, here), (_, there) = (seen(few, each) for each in (last, quality))
            ratio = (100 - there) / max(0.1, 100 - here)
            tried = [before, (quality, 100 - (100 - its_look) * ratio)]
            power = curve.power(tried[0], tried[1], power, are_alike=True)
            quality = curve.following(tried, self.look, power)
        data = self.large.seek(self.picture, sought(quality, Purpose.RESULT))
        return Found(data, chosen(quality, curve.look(tried, quality, power)))

    def _is_across_steps(self, tried: Tried) -> bool:
        """Whether steps may be on the way from a look to the one that is wanted."""
        return self.of_jpeg and abs(tried[1] - self.look) > NEAR_OF_JPEG


class _Tiles:
    """Some of a picture."""

    def __init__(self, picture: Image.Image, grid: Grid, large: Large) -> None:
        self._grid, self._large = grid, large
        self._tiles = grid.of(picture)
        self._reference = look.reference(self._seen(self._tiles), picture.width)
        self.bits = 0.0
        """Those of each pixel that was encoded last."""

    def look(self, wanted: Sought) -> float:
        """SSIMULACRA2, 100 at most, of what becomes of them, as the whole picture has it."""
        data = self._large.seek(self._tiles, wanted)
        self.bits = len(data) * 8 / (self._tiles.width * self._tiles.height)
        score = self._reference.score(self._seen(self._large.read(data)))
        return 100 - (100 - score) / self._grid.seams

    def _seen(self, tiles: Image.Image) -> Image.Image:
        """Those pixels that are looked at, red, green and blue."""
        seen = self._grid.without_margins(tiles)
        return seen if seen.mode == "RGB" else seen.convert("RGB")

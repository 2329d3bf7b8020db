"""A quality is tried on a sample, and the file that it gives is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pyvips

from imaging.auto import typical
from imaging.auto.judge import Judge
from imaging.auto.opened import opened
from imaging.auto.part import Part, has_part
from imaging.auto.sample import MARGIN
from imaging.auto.stairs import Stairs
from imaging.codec import Encoding, Purpose, Sought, Writer
from imaging.look.scale import WHOLE_SIDE
from imaging.measures import Chosen
from imaging.options import Auto, Effort
from imaging.write import chroma

LOOKS = {Auto.HIGH: 85.0, Auto.AUTO: 77.0, Auto.LOW: 65.0}
"""SSIMULACRA2 of the results. That of `AUTO` is the mean of plain JPEG at 80."""

LEAST_SIDE = WHOLE_SIDE
"""Pixels of the shorter side below which nothing is sought: SSIMULACRA2 has fewer scales there."""

PROBES, FILES = 2, 2
"""How often at most a sample and the whole picture are encoded."""

NEAR_OF_LARGE = 1.2
"""In place of a writer's `near`, of a large picture whose look rises by steps, which not all
pictures have."""

ENOUGH, ENOUGH_OF_TILES = 1.3, 1.5
"""How near the look of a file, and that of its tiles alone, is to the one wanted where a second
file is not worth its time. The whole is 0.8 from its tiles (standard deviation)."""

EQUAL = 4.0
"""Points of a way from a look that was seen, over which a prediction is off by as much as a guess:
0.8 (standard deviation)."""

ENOUGH_OF_LARGE = 1.4
"""As `ENOUGH`, of a large picture, whose second file takes much longer than all else."""

SMOOTHER = 1.36
"""Distance from 100 of the typical large picture at the number that is tried first, over that which
is wanted: most look better than that, at 77 as JPEGs of 66."""

STEP = 89, 90
"""Between these the chroma of a JPEG becomes whole, and the look takes a step: tenths count."""

FAR, FAR_OF_LARGE = 4, 2
"""How far beyond the qualities that were tried on a sample the look is taken to be known; and how
far from them, of a large picture whose look rises by steps."""

UNTOUCHED = 95.0
"""The look from which on a file was not made by the lossy encoder: a palette, or all colours."""

TWICE_PIXELS = 12_000_000
"""Pixels of the largest picture that may be encoded twice, as the time for each is limited."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that looks right, or as right as the format allows."""

    data: bytes
    chosen: Chosen


@dataclass(slots=True)
class Search:
    """For one picture.

    Args:
        image: sRGB or grey, 8 bit, one frame, in memory.
        load: opens any file.
        look: SSIMULACRA2 that is wanted.
        bounds: the least and the largest quality.
        keep: what of the image's metadata is written, libvips's number.
    """

    image: pyvips.Image
    writer: Writer
    load: Callable[[bytes], pyvips.Image]
    look: float
    bounds: tuple[int, int]
    effort: Effort
    keep: int
    whole_chroma: bool = False
    is_large: bool = False
    """Whether the sample is of strips."""
    stairs: Stairs | None = None
    """How a large picture of which a sample tells the look as it is looks at each quality."""
    tried: list[tuple[float, float]] = field(default_factory=list)
    """Qualities, and the looks that they are taken to have."""

    def run(self) -> Found:
        """The file."""
        exact = self.writer.seeks_exactly
        judge = Judge(self.image, 0 if exact else MARGIN, slow=not exact)
        self.is_large = judge.is_large
        seen = self.image if self.is_large else judge.sample
        self.whole_chroma = self.writer.seek is not None and chroma.is_fine(seen)
        if self.is_large and self.writer.large_looks:
            self.stairs = Stairs(self.writer.large_looks, self._qualities())
        quality = self._sought(judge)
        if exact and not judge.sees_more and self._is_near(quality):
            return Found(self._result(quality), _chosen(quality, self._told(quality)))
        enough = ENOUGH_OF_TILES
        if judge.sees_all:
            enough = ENOUGH_OF_LARGE if judge.is_large else ENOUGH
        found: list[tuple[float, Found]] = []
        many = self.image.width * self.image.height <= TWICE_PIXELS
        for _ in range(FILES if many else 1):
            data = self._result(quality)
            score = judge.of_whole(opened(data, self.image, self.writer, self.load))
            off = abs(score - self.look)
            found.append((off, Found(data, _chosen(quality, score))))
            if off <= enough or score >= UNTOUCHED:
                break
            # Its tiles have looked in the sample as they look in the file.
            self._learn(quality, score, anew=self.stairs is None)
            following = self._following()
            if following == quality:
                break
            quality = following
        return min(found, key=lambda one: one[0])[1]

    def _sought(self, judge: Judge) -> float:
        """The quality that the sample asks for."""
        quality = self._first()
        size = self.image.width, self.image.height
        by_part = self.writer.rough is not None and judge.is_sample and has_part(*size)
        purpose = Purpose.ROUGH if by_part else Purpose.GUESS
        for _ in range(PROBES):
            seen = self._opened(judge.sample, quality, purpose)
            look = judge.of_sample(seen)
            score = 100 - (100 - look) * self._factor(purpose)
            self._learn(quality, score, anew=by_part or purpose is Purpose.LOOK)
            following = self._following()
            # Of a large picture a second look costs little, and a second file much.
            twice = self.writer.tiles_tell and not judge.sees_all
            # A second look at the sample saves one at the file, where that looks the same.
            near = NEAR_OF_LARGE if self.stairs else self.writer.near
            is_near = abs(score - self.look) <= near
            if purpose is Purpose.ROUGH and is_near:
                self._learn(following, self._by_part(seen, look, following), anew=True)
                return self._following()
            if following == quality or (not twice and is_near):
                return following
            quality = following
            purpose = Purpose.LOOK if twice else Purpose.GUESS
        return quality

    def _factor(self, purpose: Purpose) -> float:
        """A result's distance from 100 over that of a file for this purpose."""
        writer = self.writer
        if purpose is Purpose.ROUGH:
            return writer.rough or 1.0
        if purpose is not Purpose.GUESS:
            return 1.0
        of_large = writer.guessed_of_large if self.is_large else None
        return writer.guessed if of_large is None else of_large

    def _by_part(self, guess: pyvips.Image, look: float, quality: float) -> float:
        """The look that the whole is to have at a quality, by a part of it in place of a second
        guess.

        Args:
            guess, look: what became of it by a guess, and its look.
        """
        part = Part(self.image, guess, look)
        return part.look_of_whole(self._opened(part.image, quality, Purpose.LOOK))

    def _opened(self, image: pyvips.Image, quality: float, purpose: Purpose) -> pyvips.Image:
        """What becomes of an image."""
        data = self._encode(image, quality, purpose)
        return opened(data, image, self.writer, self.load).copy_memory()

    def _learn(self, quality: float, score: float, *, anew: bool) -> None:
        """Note the look of a quality.

        Args:
            anew: whether what was noted before was told by a quicker encoder, or by less of the
                picture: it stays a guide to the differences alone.
        """
        if anew and self.tried:
            told = self._told(quality)
            ratio = (100 - score) / max(0.1, 100 - told)
            if not self._is_between(quality):
                # A part of it is what the way there was off by, the more the longer that was.
                way = min(abs(told - look) for _, look in self.tried)
                ratio **= 1 / (1 + (way / EQUAL) ** 2)
            self.tried = [
                (each, 100 - (100 - look) * ratio) for each, look in self.tried if each != quality
            ]
        self.tried.append((quality, score))

    def _is_near(self, quality: float) -> bool:
        """Whether the look of a quality follows from those of the sample."""
        far = FAR_OF_LARGE if self.stairs else FAR
        near = min(abs(quality - one) for one, _ in self.tried) <= far
        return near or (not self.stairs and self._is_between(quality))

    def _is_between(self, quality: float) -> bool:
        """Whether it is one of those that were tried, or between two of them."""
        tried = [one for one, _ in self.tried]
        return min(tried) <= quality <= max(tried)

    def _told(self, quality: float) -> float:
        """The look that a quality has by those that were tried."""
        if self.stairs:
            return self.stairs.look(self.tried, quality)
        return typical.look(self.tried, quality, self.writer.follows)

    def _first(self) -> float:
        """The quality that is tried first."""
        if self.stairs:
            wanted = 100 - (100 - self.look) * SMOOTHER
            return self.stairs.following([], wanted)
        return self._within(typical.quality(100 - self.look))

    def _following(self) -> float:
        """The quality that is to be tried next."""
        if self.stairs:
            return self.stairs.following(self.tried, self.look)
        return self._within(typical.following(self.tried, self.look, self.writer.follows))

    def _qualities(self) -> list[float]:
        """All that may be tried, rising."""
        (least, most), (low, high) = self.bounds, STEP
        tenths = [low + tenth / 10 for tenth in range(1, 10)] if least <= low < high <= most else []
        return sorted([*range(least, most + 1), *tenths])

    def _within(self, quality: float) -> float:
        least, most = self.bounds
        low, high = STEP
        return min(most, max(least, round(quality, 1 if low < quality < high else 0)))

    def _result(self, quality: float) -> bytes:
        return self._encode(self.image, quality, Purpose.RESULT)

    def _encode(self, image: pyvips.Image, quality: float, purpose: Purpose) -> bytes:
        is_result = purpose is Purpose.RESULT
        keep = self.keep if is_result else 0
        if self.writer.seek is None:
            effort = self.effort if is_result else Effort.FAST
            return self.writer.encode(image, Encoding(round(quality), effort, keep=keep))
        sought = Sought(
            quality, self.effort, keep, self.whole_chroma, purpose, of_large=self.is_large
        )
        return self.writer.seek(image, sought)


def _chosen(quality: float, look: float) -> Chosen:
    return Chosen(round(quality), round(look, 1))

"""A quality is tried on a sample, and the file that it gives is looked at."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pyvips

from imaging.auto import typical
from imaging.auto.judge import Judge, seen_of_file
from imaging.auto.opened import opened
from imaging.auto.part import Part, has_part
from imaging.auto.qualities import Qualities, Tried, is_between
from imaging.auto.sample import MARGIN, is_large, sample
from imaging.auto.smooth import Smooth
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

ENOUGH, ENOUGH_OF_TILES = 1.3, 1.5
"""How near the look of a file, and that of its tiles alone, is to the one wanted where a second
file is not worth its time. The whole is 0.8 from its tiles (standard deviation)."""

EQUAL = 4.0
"""Points of a way from a look that was seen, over which a prediction is off by as much as a guess:
0.8 (standard deviation)."""

ENOUGH_OF_LARGE = 1.4
"""As `ENOUGH`, of a large picture, whose second file takes much longer than all else."""

OF_WORSE = 0.6
"""`EQUAL` over the points that a file looks worse than wanted, where that is more: the second one
is the last, and looks rather too good than still too bad."""

FAR = 4.0
"""How far below the look that is wanted no result is to be, if there is any other: one that looks
better by however much, and of a graphic one without loss that is larger."""

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
        of_jpeg: whether the picture was a JPEG, than which no result is to look better.
    """

    image: pyvips.Image
    writer: Writer
    load: Callable[[bytes], pyvips.Image]
    look: float
    bounds: tuple[int, int]
    effort: Effort
    keep: int
    of_jpeg: bool = False
    whole_chroma: bool = False
    is_large: bool = field(init=False)
    curve: Smooth = field(init=False)
    """How the picture looks at each quality."""
    guessed: list[Tried] = field(default_factory=list)
    """Qualities that the sample was encoded at, and the looks that it has then told."""
    tried: list[Tried] = field(default_factory=list)
    """Qualities, and the looks that they are taken to have."""

    def __post_init__(self) -> None:
        self.is_large = is_large(self.image.width, self.image.height)
        self.curve = Smooth(Qualities(*self.bounds), self.writer.follows)

    def run(self) -> Found:
        """The file."""
        size, exact = (self.image.width, self.image.height), self.writer.seeks_exactly
        tried = sample(*size, 0 if exact else MARGIN)
        judge = Judge(self.image, tried, seen_of_file(*size, in_part=self.writer.seen_in_part))
        colours = self.image if self.is_large else judge.sample
        self.whole_chroma = self.writer.seek is not None and chroma.is_fine(colours)
        quality = self._sought(judge)
        if exact and judge.seen == tried and self.curve.knows(self.tried, quality):
            look = self.curve.look(self.tried, quality)
            return Found(self._result(quality), chosen(quality, look))
        return self._nearest(judge, quality)

    def _nearest(self, judge: Judge, quality: float) -> Found:
        """Of the files that are written the one that looks most as it is wanted; of a graphic one
        whose look is what it is, if that has fewer bytes and looks no worse than a file may.

        Args:
            quality: that of the first file.
        """
        enough = ENOUGH_OF_TILES
        if judge.seen.is_whole:
            enough = ENOUGH_OF_LARGE if self.is_large else ENOUGH
        times = FILES if self.image.width * self.image.height <= TWICE_PIXELS else 1
        found: list[tuple[float, Found]] = []
        while True:
            data = self._result(quality)
            score = self._look(judge, data)
            found.append((score, Found(data, chosen(quality, score))))
            if abs(score - self.look) <= enough or len(found) == times:
                break
            # Its tiles have looked in the sample as they look in the file.
            equal = max(EQUAL, OF_WORSE * (self.look - score))
            self._learn(quality, score, anew=True, equal=equal)
            following = self._on_the_way(judge, (quality, score), self._following())
            if following == quality:
                break
            quality = following
        score, lossy = min(
            found, key=lambda one: (self._is_spoilt(one[0]), abs(one[0] - self.look))
        )
        any_size = self._is_spoilt(score) and not self.of_jpeg
        most = math.inf if any_size else len(lossy.data)
        return self._of_graphic(judge, lossy.chosen.quality, self.look - enough, most) or lossy

    def _on_the_way(self, judge: Judge, file: Tried, following: float) -> float:
        """The quality that follows a file: as the sample changes on the way from its one guess to
        what would follow as pictures change on average.

        Args:
            file: quality and look of it.
            following: what would follow.
        """
        if judge.tried.is_whole or len(self.guessed) == PROBES or following == self.guessed[0][0]:
            return following
        look = judge.of_sample(self._opened(judge.sample, following, Purpose.GUESS))
        there = following, self._told(look, Purpose.GUESS)
        self.curve = replace(self.curve, follows=typical.exponent(self.guessed[0], there))
        self.tried = [file]
        return self._following()

    def _is_spoilt(self, score: float) -> bool:
        """Whether a look is one that no file is to have."""
        return score < self.look - FAR

    def _of_graphic(self, judge: Judge, quality: float, least: float, most: float) -> Found | None:
        """The smallest file of a graphic that looks right whatever the quality, None if there is
        none.

        Args:
            quality: what is told of it.
            least: the look that it has at least.
            most: more bytes than it has.
        """
        found: Found | None = None
        for write in self.writer.of_graphic(self.image, self.effort, self.keep):
            data = write(most)
            if data and len(data) < most and (score := self._look(judge, data)) >= least:
                found, most = Found(data, chosen(quality, score)), len(data)
        return found

    def _look(self, judge: Judge, data: bytes) -> float:
        """That of a file of the whole picture."""
        return judge.of_whole(opened(data, self.image, self.writer, self.load))

    def _sought(self, judge: Judge) -> float:
        """The quality that the sample asks for."""
        quality = self.curve.first(self.look)
        size = self.image.width, self.image.height
        by_part = self.writer.rough is not None and judge.tried.is_whole and has_part(*size)
        purpose = Purpose.ROUGH if by_part else Purpose.GUESS
        for _ in range(PROBES):
            seen = self._opened(judge.sample, quality, purpose)
            look = judge.of_sample(seen)
            score = self._told(look, purpose)
            self.guessed.append((quality, score))
            self._learn(quality, score, anew=by_part or purpose is Purpose.LOOK)
            following = self._following()
            # Of a large picture a second look costs little, and a second file much.
            twice = self.writer.tiles_tell and not judge.seen.is_whole
            # A second look at the sample saves one at the file, where that looks the same.
            is_near = abs(score - self.look) <= self.writer.near
            if purpose is Purpose.ROUGH and is_near:
                self._learn(following, self._by_part(seen, look, following), anew=True)
                return self._following()
            if following == quality or (not twice and is_near):
                return following
            quality = following
            purpose = Purpose.LOOK if twice else Purpose.GUESS
        return quality

    def _told(self, look: float, purpose: Purpose) -> float:
        """The look of a result, by that of a file for this purpose."""
        return 100 - (100 - look) * self._factor(purpose)

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

    def _learn(self, quality: float, score: float, *, anew: bool, equal: float = EQUAL) -> None:
        """Note the look of a quality.

        Args:
            anew: whether what was noted before was told by a quicker encoder, or by less of the
                picture: it stays a guide to the differences alone.
            equal: points of a way over which it is off by as much as a guess.
        """
        if anew and self.tried:
            told = self.curve.look(self.tried, quality)
            ratio = (100 - score) / max(0.1, 100 - told)
            if not is_between(self.tried, quality):
                # A part of it is what the way there was off by, the more the longer that was.
                way = min(abs(told - look) for _, look in self.tried)
                ratio **= 1 / (1 + (way / equal) ** 2)
            self.tried = [
                (each, 100 - (100 - look) * ratio) for each, look in self.tried if each != quality
            ]
        self.tried.append((quality, score))

    def _following(self) -> float:
        """The quality that is to be tried next."""
        return self.curve.following(self.tried, self.look)

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


def chosen(quality: float, look: float) -> Chosen:
    """What is told of a result."""
    return Chosen(round(quality), round(look, 1))

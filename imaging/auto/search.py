"""A quality is tried on a sample, and the file that it gives is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyvips

from imaging.auto import typical
from imaging.auto.judge import Judge
from imaging.auto.sample import MARGIN
from imaging.codec import Writer
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

NEAR = 3.0
"""How near the look of a sample is to the one wanted where a second one is not worth its time."""

ENOUGH = 1.0
"""How near the look of a file is to the one wanted where a second one is not worth its time."""

FAR = 4
"""How far beyond the qualities that were tried on a sample the look is taken to be known."""

FLAT = 0.5
"""How the look of a sample follows the quality, as an exponent, below which that is no guide: the
sample has a palette, and the whole need not get one."""

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
        opened: the pixels of a file.
        look: SSIMULACRA2 that is wanted.
        bounds: the least and the largest quality.
        keep: what of the image's metadata is written, libvips's number.
    """

    image: pyvips.Image
    writer: Writer
    opened: Callable[[bytes], pyvips.Image]
    look: float
    bounds: tuple[int, int]
    effort: Effort
    keep: int
    whole_chroma: bool = False
    tried: list[tuple[int, float]] = field(default_factory=list)
    """Qualities, and the looks of the sample."""

    def run(self) -> Found:
        """The file."""
        judge = Judge(self.image, 0 if self.writer.seeks_exactly else MARGIN)
        self.whole_chroma = self.writer.seek is not None and chroma.is_fine(judge.sample)
        quality = self._sought(judge)
        if self.writer.seeks_exactly and self._is_near(quality):
            chosen = Chosen(quality, round(typical.look(self.tried, quality), 1))
            return Found(self._encode(self.image, quality), chosen)
        found: list[tuple[float, Found]] = []
        looked = dict(self.tried)
        many = self.image.width * self.image.height <= TWICE_PIXELS
        for _ in range(FILES if many else 1):
            data = self._encode(self.image, quality)
            score = judge.of_whole(self.opened(data))
            off = abs(score - self.look)
            found.append((off, Found(data, Chosen(quality, round(score, 1)))))
            looked[quality] = score
            following = self._after(looked)
            if self._ends(score, ENOUGH) or following == quality:
                break
            quality = following
        return min(found, key=lambda one: one[0])[1]

    def _sought(self, judge: Judge) -> int:
        """The quality that the sample asks for."""
        quality = self._within(typical.quality(100 - self.look))
        for _ in range(PROBES):
            score = judge.of_sample(self.opened(self._encode(judge.sample, quality, once=True)))
            self.tried.append((quality, score))
            if score >= UNTOUCHED:
                return quality
            following = self._after(dict(self.tried))
            if self._ends(score, NEAR) or following == quality:
                return following
            quality = following
        if typical.exponent(*self.tried[-2:]) < FLAT:
            return self.tried[0][0]
        return quality

    def _is_near(self, quality: int) -> bool:
        """Whether the look of a quality follows from those of the sample."""
        tried = [one for one, _ in self.tried]
        between = min(tried) <= quality <= max(tried)
        return between or min(abs(quality - one) for one in tried) <= FAR

    def _after(self, looked: Mapping[int, float]) -> int:
        """The quality that is to be tried next.

        Args:
            looked: what is known of others.
        """
        return self._within(typical.following(list(looked.items()), self.look))

    def _ends(self, score: float, tolerance: float) -> bool:
        return abs(score - self.look) <= tolerance or score >= UNTOUCHED

    def _within(self, quality: float) -> int:
        least, most = self.bounds
        return min(most, max(least, round(quality)))

    def _encode(self, image: pyvips.Image, quality: int, *, once: bool = False) -> bytes:
        keep = 0 if once else self.keep
        if self.writer.seek is None:
            effort = Effort.FAST if once else self.effort
            return self.writer.encode(image, quality, effort, lossless=False, keep=keep)
        return self.writer.seek(
            image,
            quality,
            self.effort,
            keep=keep,
            whole_chroma=self.whole_chroma,
            once=once,
        )

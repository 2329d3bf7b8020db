"""The bytes of a picture in any format, told from a sample of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pyvips

from imaging.auto import typical
from imaging.auto.judge import Judge
from imaging.auto.opened import opened
from imaging.auto.sample import MARGIN, TILE, sample, tiles
from imaging.auto.search import LEAST_SIDE, LOOKS
from imaging.codec import Encoding
from imaging.codecs import WRITERS
from imaging.formats import Format
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.source import Source, as_animation
from imaging.steps.background import flatten
from imaging.target import Target
from imaging.write.graphics import Kind
from imaging.write.scale import between
from imaging.write.strips import aligned_strips, strips

DRAWN = frozenset({Format.WEBP, Format.PNG, Format.GIF})
"""Formats that write few colours as they are."""

REUSED = Format.WEBP
"""A format that a small graphic is written in as the result is to be, whose higher efforts try what
the lower ones do: where it wins, that is the result."""

WHOLE_PIXELS = 65_536
"""Pixels of the largest graphic that is its own sample."""

STRIPS_PIXELS, STRIPS_SHARE = 49_152, 1 / 8
"""Pixels of the sample of a larger graphic, and the share of it where that is more: strips of its
whole width, as what is repeated counts."""

TILES_SHARE, LEAST_TILES, MOST_TILES = 0.2, 2, 12
"""Tiles of the sample of a photograph: the share of it that they are, how many at least, and at
most."""

HALVED_PIXELS = 16_384
"""Pixels of the least sample of a photograph that is strips of a half, where it has not enough for
tiles."""

FEWER, MORE = 1.05, 1.4
"""Bytes that a quick file of the sample of a photograph tells, over the least of the other formats:
below the first it is taken for the smallest, and above the second for a larger one. Of 55
photographs such a file told 1.06 times as much as there was, and of smooth ones 1.3 times, with a
standard deviation of 0.06 and 0.16."""

WRITTEN_SCALE = 2.5
"""Pixels of a photograph over those of its sample, up to which a slow format is written whole in
place of the sample, for little more: where it wins, that is the result. With 2 it was four of 93
pictures more whose choice took over 1.5 times the CPU of the chosen format alone."""

UNTOUCHED = 95.0
"""The look from which on a file was not made by a lossy encoder: a palette, or all colours."""

LIKELY = 8
"""The fewest bytes of the other formats, in empty files of a slow one, from which such a file is
written: of 14 photographs of 0.01 to 0.07 megapixels the slow format was the smallest of six of
the eight above this, and of none below it."""

SLOW = 0.95
"""Bytes of a slow format are taken for so many times those that the sample tells, which is right on
average: most photographs are smaller in it, and so are most of those of which the sample says that
they are as large."""

QUICK = 0.9
"""Bytes of a file as the result is to be over those of a quick one, of a graphic."""

FRAMES = 5
"""Frames of the sample of an animation, its first ones."""


class Estimate:
    """Of one picture."""

    def __init__(
        self,
        drawn: Source,
        kind: Kind,
        load: Callable[[bytes], pyvips.Image],
        target: Target,
    ) -> None:
        """
        Args:
            drawn: as it is to be written, but for its transparency; in memory.
            load: opens any file.
            target: one of those that are asked about.
        """
        image, options = drawn.image, target.options
        self._load, self._judge = load, None
        self.files: dict[Format, bytes] = {}
        """Results that are written already."""
        if options.background is not None:
            image = flatten(image, options.background)
        self._whole, pixels = image, image.width * image.height
        is_drawn = drawn.animated or kind is not Kind.PHOTOGRAPH
        is_small = is_drawn and not drawn.animated and pixels <= WHOLE_PIXELS
        if drawn.animated:
            self._sample = _first_frames(drawn, image)
        elif is_small:
            self._sample = image
        elif options.lossless:
            part = pixels if pixels <= WHOLE_PIXELS else min(pixels // 2, STRIPS_PIXELS)
            self._sample = strips(image, part).copy_memory()
        elif is_drawn:
            part = max(STRIPS_PIXELS, round(STRIPS_SHARE * pixels))
            self._sample = aligned_strips(image, part).copy_memory()
        elif options.q and min(image.width, image.height) >= LEAST_SIDE:
            self._judge = Judge(image, sample(image.width, image.height, MARGIN))
            self._sample = self._judge.sample
        else:
            self._sample = _sample_of_photograph(image)
        self._scale: float = pixels / (self._sample.width * self._sample.height)
        is_lossy = not drawn.animated and not options.lossless and self._judge is None
        self._is_graphic, self._is_photograph = is_lossy and is_drawn, is_lossy and not is_drawn
        self.writes_result = (
            self._is_graphic and self._scale == 1 and not options.q and not options.keep
        )
        """Whether the file of `REUSED` is written as the result is to be."""
        self._writes_slow = (
            self._is_photograph and self._scale <= WRITTEN_SCALE and not options.keep
        )

    def of(self, target: Target, least: float) -> float:
        """The bytes that the picture is expected to have as this target.

        Args:
            least: the fewest of the targets that were asked about before.
        """
        writer = WRITERS[target.format]
        image = self._sample
        if not target.format.output.has_alpha:
            image = flatten(image).copy_memory()
        if self._judge is not None:
            return self._at_look(self._judge, image, target)
        if self._is_photograph:
            return self._of_photograph(image, target, least)
        if self._is_graphic and writer.quick and target.format not in DRAWN:
            size = self._of_all(writer.quick(image, target.quality), target.format)
            return size * (QUICK if self.writes_result else 1)
        is_result = self.writes_result and target.format is REUSED
        effort = target.effort if is_result else Effort.FAST
        data = writer.encode(image, Encoding(target.quality, effort, target.options.lossless))
        if is_result:
            self.files[REUSED] = data
        return self._of_all(data, target.format)

    def _of_photograph(self, part: pyvips.Image, target: Target, least: float) -> float:
        writer, quality = WRITERS[target.format], target.quality
        if writer.quick:
            if self._writes_slow and least > LIKELY * around(target.format):
                data = writer.encode(self._whole, Encoding(quality, target.effort))
                self.files[target.format] = data
                return len(data)
            size = self._of_all(writer.quick(part, quality), target.format)
            if size < FEWER * least:
                return size / FEWER
            if size > MORE * least or self._writes_slow:
                return size
        if writer.of_part:
            data = writer.of_part(part, Encoding(quality, target.effort), self._whole)
        else:
            data = writer.encode(part, Encoding(quality, Effort.FAST))
        return self._of_all(data, target.format) * (SLOW if writer.quick else 1)

    def _at_look(self, judge: Judge, part: pyvips.Image, target: Target) -> float:
        """That of a file with the look that is wanted."""
        assert target.options.q is not None, "a look is wanted"
        look, writer = LOOKS[target.options.q], WRITERS[target.format]
        quality = round(typical.quality(100 - look))
        data = writer.encode(part, Encoding(quality, Effort.FAST))
        size = self._of_all(data, target.format)
        seen = judge.of_sample(opened(data, part, writer, self._load))
        if seen >= UNTOUCHED:
            return size
        wanted = typical.following([(quality, seen)], look, writer.follows)
        return size * float(between(writer.curve, wanted) / between(writer.curve, quality))

    def _of_all(self, data: bytes, format: Format) -> float:
        """The bytes of the picture, by a file of the sample."""
        return around(format) + max(0, len(data) - around(format)) * self._scale


def _sample_of_photograph(image: pyvips.Image) -> pyvips.Image:
    """Tiles of it; of one too small for tiles strips of a half, or all of it."""
    width, height, pixels = image.width, image.height, image.width * image.height
    if min(width, height) >= TILE:
        count = round(TILES_SHARE * pixels / TILE**2)
        return tiles(width, height, min(MOST_TILES, max(LEAST_TILES, count))).of(image)
    return strips(image, pixels // 2).copy_memory() if pixels // 2 >= HALVED_PIXELS else image


def _first_frames(drawn: Source, image: pyvips.Image) -> pyvips.Image:
    """The first frames of an animation, as one."""
    count, height = min(FRAMES, drawn.frames), image.height // drawn.frames
    first = image.crop(0, 0, image.width, count * height)
    return as_animation(first, height, drawn.delays[:count], drawn.loop)


@cache
def around(format: Format) -> int:
    """The bytes that a file has whatever its pixels are: those of an empty one, as good as."""
    image = pyvips.Image.black(8, 8, bands=3).copy(interpretation="srgb").copy_memory()
    return len(WRITERS[format].encode(image, Encoding(NO_QUALITY, Effort.FAST)))

"""A picture for which several formats are asked: which of them can hold it, and which gives the
smallest file at the same look, told from a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pyvips

from imaging.auto import typical
from imaging.auto.judge import Judge
from imaging.auto.opened import opened
from imaging.auto.sample import MARGIN, TILE, sample
from imaging.auto.search import LEAST_SIDE, LOOKS, UNTOUCHED
from imaging.codec import Encoding
from imaging.codecs import WRITERS
from imaging.errors import PictureError
from imaging.formats import Format, frames_of
from imaging.measures import Measures, Size
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.source import Source, as_animation
from imaging.steps.background import flatten, is_transparent
from imaging.steps.colour import keeps_profile
from imaging.target import Target
from imaging.write.graphics import Kind, kind_of
from imaging.write.scale import between
from imaging.write.strips import strips

BEATEN = {Format.PNG: Format.WEBP, Format.GIF: Format.WEBP}
"""Formats that need not be tried where another one may be had: none of the hundred graphics of
`script/bench graphics` is larger as WebP than as PNG, and no photograph is."""

DRAWN = frozenset({Format.WEBP, Format.PNG, Format.GIF})
"""Formats that write few colours as they are."""

TINY_PIXELS = 16_384
"""Pixels of the largest graphic of which it is taken for granted that one of `DRAWN` is the best:
what the others have around their pixels is as large as its whole file."""

WHOLE_PIXELS, STRIPS_PIXELS = 65_536, 49_152
"""Pixels of the largest graphic that is its own sample, and of the sample of a larger one, half of
it at the most: strips of its whole width, as what is repeated counts."""

TILES, FEW_TILES = 8, 4
"""Tiles of the sample of a photograph: of forty photographs and graphics as many were right as with
the 16 that tell the look, in half the time. Of a small one that would be most of it."""

TILES_SHARE = 0.4
"""Of the pixels of a picture that `TILES` are at the most."""

HALVED_PIXELS = 16_384
"""Pixels of the least sample of a photograph that is strips of a half, where it has not enough for
tiles."""

REUSED = Format.WEBP
"""A format that a small graphic is written in as the result is to be, whose higher efforts try what
the lower ones do: where it wins, that is the result."""

BARE = 2
"""A format is not tried where another one has fewer bytes than so many of its empty files: of few
bytes most are what is around the pixels."""

FRAMES = 5
"""Frames of the sample of an animation, its first ones."""

_UNKNOWN = 2**62


@dataclass(frozen=True, slots=True)
class Found:
    """A file, and what is known of it."""

    data: bytes
    measures: Measures


def frames(target: Target) -> tuple[str, ...]:
    """The kinds of file of which all frames are wanted in any of the formats."""
    return tuple({kind for each in target.options.formats for kind in frames_of(each)})


def targets(source: Source, target: Target) -> list[Target]:
    """What each format is to become: of an animation those that move, and where the profile of its
    colours is to be kept those that hold it, if there are any.

    Args:
        source: as it was opened.
    """
    formats: Sequence[Format] = target.options.formats
    if source.animated:
        formats = [each for each in formats if source.media_type in frames_of(each)]
    keeps = [each for each in formats if keeps_profile(source.image, WRITERS[each], target.options)]
    return [_of_format(target, each) for each in keeps or formats]


def _of_format(target: Target, format: Format) -> Target:
    options = replace(target.options, formats=()).for_format(format)
    quality = target.quality if format.takes_q else NO_QUALITY
    return replace(target, format=format, quality=quality, options=options)


def possible(drawn: Source, targets: Sequence[Target]) -> list[Target]:
    """The targets that hold the picture: as large as it is, and as transparent where no
    background is asked for.

    Args:
        drawn: as it is to be written, but for its transparency; in memory.

    Raises:
        PictureError: if none does.
    """
    size = Size(drawn.image.width, drawn.image.height // drawn.frames)
    large = [each for each in targets if not each.format.too_large(size)]
    if not large:
        raise PictureError(str(targets[0].format.too_large(size)))
    clear = targets[0].options.background is None and is_transparent(drawn)
    return [each for each in large if each.format.output.has_alpha or not clear] or large


def ranked(
    drawn: Source,
    targets: Sequence[Target],
    load: Callable[[bytes], pyvips.Image],
    most: Mapping[Format, int],
) -> tuple[list[Target], dict[Format, bytes]]:
    """The targets, the one that is expected to give the smallest file first; and the files of all
    of the picture that were written for that.

    Args:
        drawn: as for `possible`.
        load: opens any file.
        most: bytes that a file of a format has at most.
    """
    image = drawn.image
    kind = Kind.EITHER if drawn.animated else _kind_of(image)
    tried = _worth_trying(image, kind, targets)
    bytes_of = {each.format: float(most.get(each.format, _UNKNOWN)) for each in targets}
    files: dict[Format, bytes] = {}
    if len(tried) > 1:
        estimate = _Estimate(drawn, kind, load, tried[0])
        least = float(_UNKNOWN)
        for each in sorted(tried, key=lambda each: each.format not in DRAWN):
            if least >= BARE * _around(each.format):
                bytes_of[each.format] = min(bytes_of[each.format], estimate.of(each))
                least = min(least, bytes_of[each.format])
        files = estimate.files
    else:
        bytes_of[tried[0].format] = 0
    return sorted(targets, key=lambda each: (bytes_of[each.format], each not in tried)), files


def _kind_of(image: pyvips.Image) -> Kind:
    """What kind of picture this is, by as much of it as WebP holds, which tells it."""
    width = min(image.width, Format.WEBP.max_side)
    part = image if width == image.width else image.crop(0, 0, width, image.height).copy_memory()
    return kind_of(part, tried=TINY_PIXELS)


def _worth_trying(image: pyvips.Image, kind: Kind, targets: Sequence[Target]) -> Sequence[Target]:
    """The targets that may give the smallest file; one at least."""
    formats = {each.format for each in targets}
    tried = [each for each in targets if BEATEN.get(each.format) not in formats]
    is_tiny = kind is Kind.EITHER and image.width * image.height <= TINY_PIXELS
    if kind is Kind.GRAPHIC or is_tiny:
        return [each for each in tried if each.format in DRAWN] or tried
    return tried


class _Estimate:
    """The bytes of a picture in any format, told from a sample of it."""

    def __init__(
        self,
        drawn: Source,
        kind: Kind,
        load: Callable[[bytes], pyvips.Image],
        target: Target,
    ) -> None:
        """
        Args:
            target: one of those that are tried.
        """
        image, options = drawn.image, target.options
        self._load, self._judge = load, None
        self.files: dict[Format, bytes] = {}
        """Results that are written already."""
        if options.background is not None:
            image = flatten(image, options.background)
        if drawn.animated:
            self._sample = _first_frames(drawn, image)
        elif kind is not Kind.PHOTOGRAPH or options.lossless:
            pixels = image.width * image.height
            part = pixels if pixels <= WHOLE_PIXELS else min(pixels // 2, STRIPS_PIXELS)
            self._sample = strips(image, part).copy_memory()
        elif options.q and min(image.width, image.height) >= LEAST_SIDE:
            self._judge = Judge(image, MARGIN)
            self._sample = self._judge.sample
        else:
            few = TILES_SHARE * image.width * image.height < TILES * TILE**2
            tiles = FEW_TILES if few else TILES
            where = sample(image.width, image.height, 0, tiles)
            part = image.width * image.height // 2
            half = where.is_whole and part >= HALVED_PIXELS
            self._sample = strips(image, part).copy_memory() if half else where.of(image)
        pixels = self._sample.width * self._sample.height
        self._scale = image.width * image.height / pixels
        is_still = not drawn.animated and not options.lossless and self._judge is None
        self._is_quick = is_still
        self._is_drawn = drawn.animated or kind is not Kind.PHOTOGRAPH
        self._is_result = (
            is_still and self._is_drawn and self._scale == 1 and not options.q and not options.keep
        )

    def of(self, target: Target) -> float:
        """The bytes that the picture is expected to have as this target."""
        writer, quality = WRITERS[target.format], target.quality
        image = self._sample
        if not target.format.output.has_alpha:
            image = flatten(image).copy_memory()
        look = LOOKS[target.options.q] if target.options.q and self._judge else None
        if look is not None:
            quality = round(typical.quality(100 - look))
        is_result = self._is_result and target.format is REUSED
        if self._is_quick and writer.quick and not (self._is_drawn and target.format in DRAWN):
            data = writer.quick(image, quality)
        else:
            effort = target.effort if is_result else Effort.FAST
            data = writer.encode(image, Encoding(quality, effort, target.options.lossless))
        if is_result:
            self.files[REUSED] = data
        around = _around(target.format)
        size: float = around + max(0, len(data) - around) * self._scale * writer.quick_bytes
        if look is not None and self._judge is not None:
            seen = self._judge.of_sample(opened(data, image, writer, self._load))
            if seen < UNTOUCHED:
                wanted = typical.following([(quality, seen)], look, writer.follows)
                size *= between(writer.curve, wanted) / between(writer.curve, quality)
        return size


def _first_frames(drawn: Source, image: pyvips.Image) -> pyvips.Image:
    """The first frames of an animation, as one."""
    count, height = min(FRAMES, drawn.frames), image.height // drawn.frames
    first = image.crop(0, 0, image.width, count * height)
    return as_animation(first, height, drawn.delays[:count], drawn.loop)


@cache
def _around(format: Format) -> int:
    """The bytes that a file has whatever its pixels are: those of an empty one, as good as."""
    image = pyvips.Image.black(8, 8, bands=3).copy(interpretation="srgb").copy_memory()
    return len(WRITERS[format].encode(image, Encoding(NO_QUALITY, Effort.FAST)))

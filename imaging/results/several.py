"""A picture for which several formats are asked: which of them can hold it, and which gives the
smallest file at the same look, told from a sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyvips

from imaging.codecs import WRITERS
from imaging.errors import PictureError
from imaging.formats import Format, frames_of
from imaging.measures import Measures, Size
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.results.estimate import DRAWN, REUSED, Estimate, around
from imaging.source import Source
from imaging.steps.background import holds
from imaging.steps.colour import keeps_profile
from imaging.target import Target
from imaging.write.graphics import ENCODED_PIXELS, Kind, kind_of, least_efforts

BEATEN = {Format.PNG: Format.WEBP, Format.GIF: Format.WEBP}
"""Formats that need not be tried where another one may be had: none of the hundred graphics of
`script/bench graphics` is larger as WebP than as PNG, and no photograph is."""

TINY_PIXELS = 16_384
"""Pixels of the largest graphic of which it is taken for granted that one of `DRAWN` is the best:
what the others have around their pixels is as large as its whole file."""

BARE = 2
"""A format is not tried where another one has fewer bytes than so many of its empty files: of few
bytes most are what is around the pixels."""

LOSSY = 2.2
"""Bytes of a small graphic without loss over those with it, both at WebP's least effort, from which
the others are asked before it is written whole, which then takes three times what a lossy format
does. Of 15 of 0.02 to 0.07 megapixels one was smaller in four of the five above this, and in one
below it."""

QUICK_DRAWN = 0.93
"""Bytes of such a graphic as the WebP that it becomes over those at `Effort.FAST`, which take a
third of the time: 0.82 to 1.0 of 33 of 36 small pieces and copies of wallpapers."""

FLOOR = 0.32
"""Bytes that a slow format has at least, over those of WebP with loss at its least effort, of a
small graphic: 0.35 to 0.65 of 18."""

_UNKNOWN = float(2**62)


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
    held = [each for each in large if holds(drawn, each)]
    return held or [each for each in large if each.format.output.has_alpha] or large


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
    kind = Kind.EITHER if drawn.animated else kind_of(drawn.image, tried=TINY_PIXELS)
    tried = _worth_trying(drawn.image, kind, targets)
    bytes_of = {each.format: float(most.get(each.format, _UNKNOWN)) for each in targets}
    # Slow formats come last: they need not be told of well if the others have far more bytes.
    tried = sorted(tried, key=lambda each: (each.format not in DRAWN, _is_slow(each)))
    files: dict[Format, bytes] = {}
    if len(tried) > 1:
        estimate = Estimate(drawn, kind, load, tried[0])
        floor = 0.0
        if estimate.writes_result and any(each.format is REUSED for each in tried):
            exact, lossy = least_efforts(drawn.image, ENCODED_PIXELS)
            floor = FLOOR * lossy
            if exact > LOSSY * lossy:
                tried = _by_quick_files(estimate, tried)
        if len(tried) > 1:
            for format, size in _expected(estimate, tried, floor).items():
                bytes_of[format] = min(bytes_of[format], size)
            files = estimate.files
    if len(tried) == 1:
        bytes_of[tried[0].format] = 0
    return sorted(targets, key=lambda each: (bytes_of[each.format], each not in tried)), files


def _expected(estimate: Estimate, tried: Sequence[Target], floor: float) -> dict[Format, float]:
    """The bytes that each of the targets is expected to give.

    Args:
        floor: bytes that a slow format has at least.
    """
    bytes_of: dict[Format, float] = {}
    least = _UNKNOWN
    for each in tried:
        if least <= floor and _is_slow(each):
            continue
        if least >= BARE * around(each.format):
            bytes_of[each.format] = estimate.of(each, least)
            least = min(least, bytes_of[each.format])
    return bytes_of


def _by_quick_files(estimate: Estimate, tried: Sequence[Target]) -> list[Target]:
    """The target that is the smallest of a small graphic, by a quick file of each: to write it as
    `REUSED` takes much longer than all else."""
    bytes_of: dict[Format, float] = {}
    for each in sorted(tried, key=_is_slow):
        if each.format is REUSED:
            fast = replace(each, effort=Effort.FAST)
            bytes_of[each.format] = QUICK_DRAWN * estimate.of(fast, _UNKNOWN)
            estimate.files.clear()  # that is not the result, which has another effort
        elif min(bytes_of.values(), default=_UNKNOWN) >= BARE * around(each.format):
            bytes_of[each.format] = estimate.of(each, _UNKNOWN)
    return [each for each in tried if bytes_of.get(each.format) == min(bytes_of.values())]


def _is_slow(target: Target) -> bool:
    return WRITERS[target.format].quick is not None


def _worth_trying(image: pyvips.Image, kind: Kind, targets: Sequence[Target]) -> Sequence[Target]:
    """The targets that may give the smallest file; one at least."""
    formats = {each.format for each in targets}
    tried = [each for each in targets if BEATEN.get(each.format) not in formats]
    is_tiny = kind is Kind.EITHER and image.width * image.height <= TINY_PIXELS
    if kind is Kind.GRAPHIC or is_tiny:
        return [each for each in tried if each.format in DRAWN] or tried
    return tried

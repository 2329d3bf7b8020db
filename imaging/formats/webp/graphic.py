"""The files of a graphic by libwebp's lossless encoder: with a palette, and with all colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyvips

from imaging.codec import NO_METADATA, Smaller
from imaging.formats.webp.still import save, save_whole
from imaging.formats.webp.ways import large_way, lossless_way
from imaging.options import Effort
from imaging.quality import NO_QUALITY
from imaging.write.graphics import ALL_EFFORTS_PIXELS, Kind, efforts_tried, kind_of, may_have
from imaging.write.palette import Colours

BOTH_PIXELS = 1_000_000
"""Pixels of the largest graphic that is written both with its own colours and with a palette; a
larger one gets the palette if that is enough, as in PNG."""


def palettes(colours: Colours, efforts: Sequence[Effort]) -> Iterator[bytes]:
    """The files with a palette, where the picture gets one."""
    if colours.suffices:
        yield from (with_palette(colours, each) for each in efforts)


def exact(colours: Colours, efforts: Sequence[Effort]) -> Iterator[bytes]:
    """Those with all colours, where they may have the fewest bytes."""
    pixels = colours.image.width * colours.image.height
    if not colours.suffices or colours.count is not None or pixels <= BOTH_PIXELS:
        yield from (with_all_colours(colours, each) for each in efforts)


def with_all_colours(colours: Colours, effort: Effort) -> bytes:
    """The file."""
    return save_whole(colours, lossless_way(effort, colours.count))


def with_palette(colours: Colours, effort: Effort) -> bytes:
    """At `Effort.FAST` that of PNG, and above it held against that of `Effort.FAST`; with all
    colours where a palette would show bands."""
    few = _with_few(colours, effort)
    if few is None:
        return with_all_colours(colours, effort)
    return save(few, lossless_way(effort), colours.keep)


def _with_few(colours: Colours, effort: Effort) -> pyvips.Image | None:
    return colours.shown(effort) if effort is Effort.FAST else colours.drawn(effort)


def of_graphic(image: pyvips.Image, effort: Effort, keep: int) -> list[Smaller]:
    """The smallest file with a palette, and the smallest with all colours."""
    is_large = large_way(image.width * image.height, NO_QUALITY) is not None
    if is_large or kind_of(image, tried=ALL_EFFORTS_PIXELS) is Kind.PHOTOGRAPH:
        return []
    # The palette is one that is good enough where no quality is asked for: at a low one a worse
    # palette would have fewer bytes, and no relation to the look of the lossy file.
    colours, efforts = Colours(image, NO_QUALITY, keep), efforts_tried(image, effort)

    def few(most: float) -> bytes | None:
        if not may_have(most, image, partial(_saved, way=lossless_way(effort)), part_drawn):
            return None
        return min(palettes(colours, efforts), key=len, default=None)

    def part_drawn(part: pyvips.Image) -> pyvips.Image | None:
        bare = Colours(part, NO_QUALITY, NO_METADATA)
        # One of very few colours keeps them.
        return _with_few(bare, effort) if bare.suffices else None

    def every(most: float) -> bytes | None:
        if not may_have(most, image, partial(_saved, way=lossless_way(Effort.FAST))):
            return None
        return min((with_all_colours(colours, each) for each in efforts), key=len)

    return [few, every]


def _saved(part: pyvips.Image, way: Mapping[str, Any]) -> bytes:
    return save(part, way, NO_METADATA)

"""The files of a graphic by libwebp's lossless encoder: with a palette, and with all colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imaging.formats.webp.still import save, save_whole
from imaging.formats.webp.ways import lossless_way
from imaging.options import Effort
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
    """At `Effort.FAST` that of PNG, and above it held against that of `Effort.FAST`."""
    image = colours.shown(effort) if effort is Effort.FAST else colours.drawn(effort)
    return save(image, lossless_way(effort), colours.keep)

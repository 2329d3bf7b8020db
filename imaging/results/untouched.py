"""A picture none of whose pixels are to change, read and written by Pillow in the calling thread,
for the same bytes in less time."""

from __future__ import annotations

from imaging.codec import Encoding
from imaging.codecs import READERS, WRITERS
from imaging.data import Data
from imaging.results import buffer
from imaging.results.drawn import Drawn
from imaging.source import Source
from imaging.target import Target

MAX_PIXELS, BYTES_OF_PIXEL = 25_000_000, 4
"""Pillow holds all of them, where libvips has some rows."""


def encoded(data: Data, source: Source, target: Target, drawn: Drawn) -> bytes | None:
    """The file, None where libvips is to read or to write it.

    Args:
        drawn: the source as its format gets it.
    """
    file = _encoded(data, source, target, drawn)
    if file is None:
        buffer.release()  # libvips takes memory of its own
    return file


def _encoded(data: Data, source: Source, target: Target, drawn: Drawn) -> bytes | None:
    options, image = target.options, source.image
    if drawn.source.image is not image or source.animated or target.careful:
        return None
    # With a copy of it that is to be written several times, or was looked at, there is another way.
    if options.keep or options.max_bytes is not None or options.placeholder is not None:
        return None
    pixels = image.width * image.height
    wanted = Encoding(target.quality, target.effort, options.lossless)
    write = WRITERS[target.format].plain(pixels, wanted) if pixels <= MAX_PIXELS else None
    if write is None:
        return None
    read, size = READERS[source.media_type].plain, (image.width, image.height)
    with buffer.lent(BYTES_OF_PIXEL * pixels) as memory:
        picture = read(data, size, memory)
        if picture is None:
            return None
        try:
            return write(picture)
        except (OSError, ValueError, MemoryError):  # libvips says why, if it cannot either
            return None

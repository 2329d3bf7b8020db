"""A picture none of whose pixels are to change, read and written by Pillow in the calling thread,
for the same bytes in less time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from PIL import Image

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
    pixels = source.image.width * source.image.height
    wanted = Encoding(target.quality, target.effort, target.options.lossless)
    write = WRITERS[target.format].plain(pixels, wanted)
    if write is None:
        return None
    with picture(data, source, target, drawn) as read:
        if read is None:
            return None
        try:
            return write(read)
        except (OSError, ValueError, MemoryError):  # libvips says why, if it cannot either
            return None


@contextlib.contextmanager
def picture(
    data: Data, source: Source, target: Target, drawn: Drawn
) -> Iterator[Image.Image | None]:
    """The pixels, grey or red, green and blue, and with alpha where the format has that, until the
    block ends; None where libvips is to read or to change them.

    Args:
        drawn: the source as its format gets it.
    """
    options, image = target.options, source.image
    is_same = drawn.source.image is image and not source.animated and not target.careful
    # With a copy of it that is to be written several times, or was looked at, there is another way.
    is_once = not options.keep and options.max_bytes is None and options.placeholder is None
    pixels = image.width * image.height
    if not (is_same and is_once and pixels <= MAX_PIXELS):
        yield None
        return
    with buffer.lent(BYTES_OF_PIXEL * pixels) as memory:
        yield READERS[source.media_type].plain(data, (image.width, image.height), memory)

"""A tiny picture whose pixels stay as they are, converted without libvips: each of its steps takes
longer than all these pixels, and it hands some to another thread. The bytes are the same."""

from __future__ import annotations

from dataclasses import replace

from imaging.codec import Encoding
from imaging.codecs import READERS, WRITERS
from imaging.data import Data
from imaging.formats import same_format
from imaging.formats.recognise import HEAD_SIZE, picture_type
from imaging.measures import Size
from imaging.options import DEFAULTS, Effort
from imaging.results.verify import is_flat
from imaging.target import Target

MAX_PIXELS = 16_384
MAX_BYTES = 65_536
"""Of the file, all of whose chunks are looked at."""

_NOTHING_ELSE = frozenset({DEFAULTS, *(replace(DEFAULTS, effort=each) for each in Effort)})
"""The options that change nothing but how long an encoder searches."""


def converted(data: Data, target: Target) -> tuple[bytes, Size] | None:
    """The file and its size; None where anything is to be asked or done but writing the pixels, or
    where anything goes wrong: libvips then does it all, or says what is wrong."""
    if target.careful or len(data) > MAX_BYTES or target.options not in _NOTHING_ELSE:
        return None
    kind = picture_type(bytes(data[:HEAD_SIZE]))
    # In its own format it is held against its own pixels.
    if kind not in READERS or same_format(kind) is target.format:
        return None
    writer = WRITERS[target.format]
    most = min(MAX_PIXELS, target.limits.max_pixels)
    picture = READERS[kind].tiny(data, most) if writer.read else None
    if picture is None or not writer.read:
        return None
    if max(picture.size) > target.limits.max_side:
        return None
    if picture.has_transparency_data and not target.format.output.has_alpha:
        return None
    pixels = picture.width * picture.height
    write = writer.plain(pixels, Encoding(target.quality, target.effort))
    if write is None:
        return None
    try:
        result = write(picture)
        seen = writer.read(result)
    except (OSError, ValueError, MemoryError):
        return None
    if (seen.width, seen.height) != picture.size or is_flat(seen):
        return None
    return result, Size(*picture.size)

"""The original's own pixels, in its file or in another coding, where that is what is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from imaging.codec import Encoding, Strip
from imaging.codecs import WRITERS
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats import Format, same_format
from imaging.options import Effort
from imaging.source import Source, orientation
from imaging.steps.metadata import select_exif
from imaging.target import Target

CLEARLY_SMALLER = 0.9
"""A result of more than this share of the original is held against the original's own pixels; every
result is, where that takes no time."""


ALWAYS_COMPARED = {Effort.FAST: 0, Effort.BALANCED: 4096, Effort.SMALL: 65_536}
"""Bytes of the largest original whose own pixels every result is held against. A lower effort may
have taken them, as its result was not clearly smaller."""


def recoded(data: Data, source: Source, target: Target) -> bytes | None:
    """The original in another coding. Where some of its metadata is to be kept, that is all of it
    that stays; else it is a part of the file."""
    if target.careful or target.options.changes_pixels:
        return None
    original = bytes(data)
    if target.options.keep:
        own = same_format(source.media_type)
        stripped = own and _own(data, source, target, WRITERS[own].strip)
        if not stripped:
            return None
        original = stripped
    wanted = Encoding(target.quality, target.effort, target.options.lossless)
    return WRITERS[target.format].recoded(original, source.media_type, wanted)


def unencoded(data: Data, source: Source, target: Target) -> bytes | None:
    """The original's own pixels, where the file itself says that the encoder would only lose."""
    writer = WRITERS[target.format]
    spared = (
        not target.careful
        and is_replaceable(source, target)
        and orientation(source.image) == 1
        and target.options.q is None
        and writer.is_small_enough(data, target.quality, target.effort)
    )
    return _own(data, source, target, writer.strip) if spared else None


def smallest(data: Data, source: Source, target: Target, result: bytes) -> bytes:
    """The result, or the original's own pixels where they are fewer bytes."""
    if is_replaceable(source, target):
        writer = WRITERS[target.format]
        # mozjpeg's optimiser ends the process over some broken pictures that libvips decodes.
        compared = (
            writer.strip_is_cheap
            or len(data) <= ALWAYS_COMPARED[target.effort]
            or len(result) > CLEARLY_SMALLER * len(data)
        )
        if compared and not target.careful:
            result = min(result, _own(data, source, target, writer.strip) or result, key=len)
        if len(result) > len(data):
            result = min(result, _own(data, source, target, writer.bare) or result, key=len)
    return result


def ready(data: Data, source: Source, targets: Sequence[Target]) -> dict[Format, int]:
    """The bytes of the files that are there without an encoder: the original's own pixels, and what
    it can be recoded to. The result of such a format has no more."""
    files = {
        each.format: _own(data, source, each, WRITERS[each.format].bare)
        if is_replaceable(source, each)
        else recoded(data, source, each)
        for each in targets
    }
    return {format: len(file) for format, file in files.items() if file}


def is_replaceable(source: Source, target: Target) -> bool:
    """Whether the original's own pixels would be what was asked for."""
    same = same_format(source.media_type) is target.format
    return same and not target.options.changes_pixels and not source.is_cut


def _own(
    data: Data,
    source: Source,
    target: Target,
    strip: Strip,
) -> bytes | None:
    """The original's own pixels without its metadata, None if it cannot be followed.

    The original itself, where nothing is to be dropped and nothing can be saved.
    """
    turn = orientation(source.image)
    exif = select_exif(source, target, turn if turn > 1 else None)
    try:
        return strip(bytes(data), exif, target.effort)
    except PictureError:
        return None

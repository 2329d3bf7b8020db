"""AVIF: written by libaom. Metadata is written over: items cannot be taken out without moving the
rest."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, cast

import pyvips

from imaging.codec import NO_METADATA, Encoding, Purpose, Reader, Sought, Writer, loader
from imaging.colour import heif as colour
from imaging.colour.said import Said
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats.avif import by_pillow
from imaging.formats.avif.scales import FAST_EFFORT, scale_of
from imaging.options import Effort
from imaging.read import heif
from imaging.read.boxes import Box, boxes, inside, within
from imaging.read.items import is_premultiplied
from imaging.write.scale import along
from imaging.write.scale import within as within_budget

DEFAULT, FAST_DEFAULT = 63, 64
"""libaom's quality where none is asked for, at `FAST_EFFORT` the second."""

DEFAULT_LOOK = 78
"""The quality of a JPEG that looks as `DEFAULT` does."""

EFFORTS = {
    Effort.FAST: ((50e6, 2),),
    Effort.BALANCED: ((20e6, 3), (50e6, 2)),
    Effort.SMALL: ((1.5e6, 6), (5e6, 4), (20e6, 3), (50e6, 2)),
}
"""libvips's effort (9 less libaom's speed) up to so many pixels: a larger picture gets less for
each of them, or it would not be done within `limits.conversion_timeout`."""

LOSSLESS_EFFORTS = {
    Effort.FAST: ((12e6, 2), (50e6, 1)),
    Effort.BALANCED: ((4e6, 3), (12e6, 2), (50e6, 1)),
    Effort.SMALL: ((0.5e6, 6), (1.5e6, 4), (4e6, 3), (12e6, 2), (50e6, 1)),
}
"""As `EFFORTS`, without loss: a megapixel of a photograph takes 2.6 s at 3, 1.3 at 2, 0.3 at 1."""

QUICK_EFFORT, ROUGH_EFFORT = 1, 0

GUESSED, ROUGH = 0.965, 0.93
"""How far from 100 a result is over what a guess at `QUICK_EFFORT` tells, and one at
`ROUGH_EFFORT`, in a third of the time: of 53 pictures of 0.26 megapixels they were off by 1.4 and
1.5 then, at 23 from 100 (standard deviation)."""

FULL_CHROMA = 90
"""From this quality on chroma is not subsampled, as in a JPEG."""

TUNE = "iq"
"""libaom's tuning for still pictures."""

_EMPTY_EXIF = b"II*\0\x08\0\0\0" + bytes(6)
"""A TIFF header and a directory without entries."""

_OFFSET = bytes(4)
"""Comes before the block in an Exif item (ISO/IEC 23008-12, annex A.2.1)."""

_NEEDED = (b"ftyp", b"meta", b"mdat", b"moov")
"""The boxes of a file that its pictures are in; what comes after the last of them is cut off."""


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    pixels = image.width * image.height
    if not wanted.lossless:
        search = within_budget(EFFORTS[wanted.effort], pixels)
        return _lossy(
            image, wanted.quality, search, keep=wanted.keep, whole_chroma=wanted.whole_chroma
        )
    search = within_budget(LOSSLESS_EFFORTS[wanted.effort], pixels)
    data = image.heifsave_buffer(
        compression="av1", bitdepth=8, effort=search, keep=wanted.keep, lossless=True
    )
    return cast(bytes, data)


def seek(image: pyvips.Image, wanted: Sought) -> bytes:
    """As `encode`."""
    search = within_budget(EFFORTS[wanted.effort], image.width * image.height)
    if wanted.purpose is Purpose.ROUGH:
        search = ROUGH_EFFORT
    elif wanted.purpose is Purpose.GUESS:
        search = QUICK_EFFORT
    return _lossy(image, wanted.quality, search, keep=wanted.keep, whole_chroma=wanted.whole_chroma)


def of_part(part: pyvips.Image, wanted: Encoding, whole: pyvips.Image) -> bytes:
    """As `encode` writes the whole."""
    search = within_budget(EFFORTS[wanted.effort], whole.width * whole.height)
    return _lossy(part, wanted.quality, search, keep=NO_METADATA, whole_chroma=False)


def quick(part: pyvips.Image, quality: int) -> bytes:
    """At the least effort that tells how many bytes others give: at 0 it told half as well."""
    return _lossy(part, quality, QUICK_EFFORT, keep=NO_METADATA, whole_chroma=False)


def _lossy(
    image: pyvips.Image, quality: float, effort: int, *, keep: int, whole_chroma: bool
) -> bytes:
    settings = _settings(quality, effort, whole_chroma=whole_chroma)
    data = image.heifsave_buffer(
        compression="av1", bitdepth=8, effort=effort, keep=keep, **settings
    )
    return cast(bytes, data)


def _settings(quality: float, effort: int, *, whole_chroma: bool) -> dict[str, Any]:
    number = FAST_DEFAULT if effort <= FAST_EFFORT else DEFAULT
    if quality:
        number = along(scale_of(effort), quality)
    whole = whole_chroma or quality >= FULL_CHROMA
    return {"Q": number, "tune": TUNE, "subsample_mode": "off" if whole else "on"}


@dataclass(slots=True)
class _Reader:
    data: bytes | bytearray
    at: int

    def number(self, size: int) -> int:
        value = int.from_bytes(self.data[self.at : self.at + size], "big")
        self.at += size
        return value


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file without what is behind the picture, and with nothing in its metadata but this EXIF.

    Raises:
        PictureError: if its boxes cannot be followed, or an EXIF block has no room in it.
    """
    stripped = bytearray(data)
    try:
        meta = next(within(data, b"meta"))
        inner = {box.kind: box for box in inside(data, meta)}
        kinds = dict(_items(data, inner[b"iinf"]))
        idat = inner[b"idat"].start if b"idat" in inner else 0
        reach, placed = 0, False
        for item, start, length in _places(data, inner[b"iloc"], idat):
            reach = max(reach, start + length)
            if kinds.get(item) not in (b"Exif", b"mime") or start + length > len(data):
                continue
            if kinds[item] == b"mime":
                content = b" " * length
            else:
                fits = exif is not None and len(_OFFSET + exif) <= length
                block = exif if exif and fits else _EMPTY_EXIF
                placed = placed or fits
                content = (_OFFSET + block).ljust(length, b"\0")[:length]
            stripped[start : start + length] = content
        end = _wipe(stripped)
    except (StopIteration, KeyError, IndexError, struct.error):
        raise PictureError("the picture cannot be read: it is not an AVIF") from None
    if exif and not placed:
        raise PictureError("this AVIF has no place for metadata")
    if reach > end:
        raise PictureError("the picture cannot be read: the AVIF ends too early")
    return bytes(stripped[:end])


def _wipe(data: bytearray) -> int:
    """Write over what is in boxes that are not needed. Returns where the needed ones end."""
    end = 0
    for box in boxes(bytes(data), 0, len(data)):
        if box.kind in _NEEDED:
            end = box.end
        else:
            data[box.start : box.end] = bytes(box.end - box.start)
    return end


def _items(data: bytes, iinf: Box) -> Iterator[tuple[int, bytes]]:
    """Id and type of each item (ISO/IEC 14496-12, 8.11.6)."""
    entries = iinf.start + (6 if data[iinf.start] == 0 else 8)
    for box in boxes(data, entries, iinf.end):
        version = data[box.start]
        if box.kind == b"infe" and version >= 2:
            width = 2 if version == 2 else 4
            reader = _Reader(data, box.start + 4)
            item = reader.number(width)
            yield item, bytes(data[reader.at + 2 : reader.at + 6])


def _places(data: bytes, iloc: Box, idat: int) -> Iterator[tuple[int, int, int]]:
    """Id, start and length of each extent of each item (ISO/IEC 14496-12, 8.11.3)."""
    version = data[iloc.start]
    reader = _Reader(data, iloc.start + 4)
    sizes = reader.number(2)
    offset_size, length_size = sizes >> 12, sizes >> 8 & 15
    base_size, index_size = sizes >> 4 & 15, sizes & 15 if version else 0
    wide = 2 if version < 2 else 4
    for _ in range(reader.number(wide)):
        item = reader.number(wide)
        method = reader.number(2) & 15 if version else 0
        reader.number(2)
        base = reader.number(base_size) + (idat if method == 1 else 0)
        for _ in range(reader.number(2)):
            reader.number(index_size)
            start = base + reader.number(offset_size)
            length = reader.number(length_size)
            if method <= 1:
                yield item, start, length
        if reader.at > iloc.end:
            return


def said(data: Data) -> Said:
    """What is said of the primary picture, whose colours libvips gives as they are stored."""
    return replace(colour.read(data), premultiplied=is_premultiplied(data))


READER = Reader(load=loader("heifload"), check=heif.check, said=said)
WRITER = Writer(
    encode,
    strip,
    bare=strip,
    seek=seek,
    tiles_tell=True,
    follows=0.8,
    guessed=GUESSED,
    rough=ROUGH,
    read=by_pillow.reader(),
    fine_chroma=(20, 0),
    default_quality=DEFAULT_LOOK,
    searched=((5e5, Effort.SMALL), (6e6, Effort.BALANCED)),
    of_part=of_part,
    quick=quick,
)

"""JPEG XL, still and animated, by libjxl."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import pyvips

from imaging.codec import NO_METADATA, Encoding, Reader, Smaller, Sought, Writer
from imaging.errors import PictureError
from imaging.formats.jxl import encoded, reading
from imaging.formats.jxl.boxes import stripped
from imaging.formats.jxl.encoded import Box, Frame, Settings
from imaging.formats.jxl.library import library
from imaging.options import Effort
from imaging.read.profile import PROFILE
from imaging.read.segments import EXIF_HEAD
from imaging.source import blob
from imaging.write.graphics import ALL_EFFORTS_PIXELS, Kind, kind_of, may_have
from imaging.write.scale import between, within

DEFAULT = 2.07
"""The distance where no quality is asked for."""

DEFAULT_LOOK = 79
"""The quality of a JPEG that looks as `DEFAULT` does."""

EFFORT = 3
"""libjxl's effort. At 5 and 7 a photograph took as many bytes at the same SSIMULACRA2, and three
and seven times the CPU time; docs/engine.md has the figures."""

LOSSLESS_EFFORTS = {
    Effort.FAST: ((50e6, 3),),
    Effort.BALANCED: ((65_536, 7), (50e6, 3)),
    Effort.SMALL: ((4e6, 7), (10e6, 5), (50e6, 3)),
}
"""libjxl's effort without loss, up to so many pixels: 7 takes twelve times as long as 3."""

JPEG_EFFORTS = {Effort.FAST: 3, Effort.BALANCED: 7, Effort.SMALL: 9}
"""libjxl's effort for a JPEG that is packed."""

SCALE = (
    *((1, 25), (10, 20), (20, 11), (30, 7.08), (40, 5.27), (50, 4.31), (60, 3.65), (65, 3.2)),
    *((70, 2.84), (75, 2.45), (80, 1.98), (85, 1.56), (89, 1.44), (90, 0.95), (95, 0.52)),
    (100, 0.1),
)
"""The distance, in libjxl's just noticeable differences, at which photographs look, on average, as
a JPEG does at the quality asked for, by SSIMULACRA2."""

_KEEPS_EXIF, _KEEPS_PROFILE = 1, 8
"""Bits of libvips's `keep`."""
library()  # before the process may open no more than it needs


def encode(image: pyvips.Image, wanted: Encoding) -> bytes:
    effort, lossless = wanted.effort, wanted.lossless
    animated = image.get_page_height() < image.height
    drawn = False
    if animated or effort is not Effort.FAST:
        image = image.copy_memory()
        drawn = kind_of(image, tried=ALL_EFFORTS_PIXELS) is not Kind.PHOTOGRAPH
    ways: list[float | None] = [None] if lossless else [_distance(wanted.quality)]
    if drawn and not lossless and effort is not Effort.FAST:
        ways.append(None)
    return min((_save(image, distance, effort, wanted.keep) for distance in ways), key=len)


def seek(image: pyvips.Image, wanted: Sought) -> bytes:
    """As `encode` with loss, whose chroma is whole at every quality."""
    return _save(image, _distance(wanted.quality), wanted.effort, wanted.keep)


def of_graphic(image: pyvips.Image, effort: Effort, keep: int) -> list[Smaller]:
    """The file without loss."""
    if effort is Effort.FAST or kind_of(image, tried=ALL_EFFORTS_PIXELS) is Kind.PHOTOGRAPH:
        return []
    part = partial(_save, distance=None, effort=Effort.FAST, keep=NO_METADATA)
    return [lambda most: _save(image, None, effort, keep) if may_have(most, image, part) else None]


def _distance(quality: float) -> float:
    return between(SCALE, quality) if quality else DEFAULT


def _save(image: pyvips.Image, distance: float | None, effort: Effort, keep: int) -> bytes:
    """The file at this distance, None without loss."""
    search = EFFORT
    if distance is None:
        search = within(LOSSLESS_EFFORTS[effort], image.width * image.height)
    height = image.get_page_height()
    profile = blob(image, PROFILE) if keep & _KEEPS_PROFILE else None
    exif = blob(image, "exif-data") if keep & _KEEPS_EXIF else None
    return encoded.encoded(
        (image.width, height),
        image.bands,
        _frames(image, height) if height < image.height else [_whole(image)],
        Settings(search, distance),
        loop=image.get("loop") if image.get_typeof("loop") else 0,
        profile=profile,
        exif=exif.removeprefix(EXIF_HEAD) if exif else None,
    )


def _whole(image: pyvips.Image) -> Frame:
    pixels = bytes(image.write_to_memory())
    return Frame(pixels, (0, 0, image.width, image.height), 0)


def _frames(image: pyvips.Image, height: int) -> list[Frame]:
    """Of each frame what differs from the one before. One that is the same lengthens that one."""
    # A frame that is shown for no time is a part of the next one (18181-1, annex F).
    delays = [max(1, delay) for delay in image.get("delay")]
    found: list[Frame] = []
    before: pyvips.Image | None = None
    for number, delay in enumerate(delays):
        frame = image.crop(0, number * height, image.width, height)
        place = (0, 0, image.width, height) if before is None else _changed(before, frame)
        if place is None:
            found[-1] = Frame(found[-1].pixels, found[-1].place, found[-1].delay + delay)
            continue
        pixels = bytes(frame.crop(*place).write_to_memory())
        found.append(Frame(pixels, place, delay))
        before = frame
    return found


def _changed(before: pyvips.Image, frame: pyvips.Image) -> Box | None:
    """Where two frames differ, None if they are the same."""
    differs = (before != frame).bandor()
    left, top, width, height = differs.find_trim(threshold=0, background=[0], line_art=True)
    return (left, top, width, height) if width and height else None


def strip(data: bytes, exif: bytes | None, effort: Effort) -> bytes:
    """The file without metadata but, if given, this EXIF block; its profile is in its codestream.

    Raises:
        PictureError: if it cannot be followed.
    """
    return stripped(data, exif)


def recoded(data: bytes, media_type: str, wanted: Encoding) -> bytes | None:
    """A JPEG that is to lose nothing, in fewer bytes, out of which it comes again byte for byte."""
    if media_type != "image/jpeg" or not wanted.lossless:
        return None
    with suppress(PictureError):  # arithmetic coding, CMYK, a file that was cut off
        return encoded.packed(data, JPEG_EFFORTS[wanted.effort])
    return None


READER = Reader(
    load=reading.opened,
    decode=reading.read,
    is_lenient=True,
    check=reading.check,
    check_whole=reading.check_whole,
)
WRITER = Writer(
    encode,
    strip,
    bare=strip,
    seek=seek,
    of_graphic=of_graphic,
    tiles_tell=True,
    follows=0.9,
    is_grey=True,
    recoded=recoded,
    default_quality=DEFAULT_LOOK,
)

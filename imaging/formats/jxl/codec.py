"""JPEG XL, still and animated, by libjxl."""

from __future__ import annotations

import io
from contextlib import suppress

import pyvips

from imaging.codec import Encoding, Reader, Sought, Writer
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats.jxl import decoded, encoded, size
from imaging.formats.jxl.boxes import stripped
from imaging.formats.jxl.encoded import Box, Frame, Settings
from imaging.formats.jxl.library import library
from imaging.limits import Limits
from imaging.options import Effort
from imaging.read.profile import PROFILE, with_profile
from imaging.read.segments import EXIF_HEAD
from imaging.source import Source, blob
from imaging.write.graphics import ALL_EFFORTS_PIXELS, Kind, kind_of
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
    *((1, 25), (10, 20), (20, 11), (30, 7.08), (40, 5.27), (50, 4.31), (60, 3.65), (65, 3.24)),
    *((70, 2.84), (75, 2.45), (80, 1.98), (85, 1.65), (89, 1.44), (90, 0.95), (95, 0.52)),
    (100, 0.1),
)
"""The distance, in libjxl's just noticeable differences, at which photographs look, on average, as
a JPEG does at the quality asked for, by SSIMULACRA2."""

_KEEPS_EXIF, _KEEPS_PROFILE = 1, 8
"""Bits of libvips's `keep`."""
_SPACES = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}
_DEEP_SPACES = {1: "grey16", 2: "grey16", 3: "rgb16", 4: "rgb16"}

SEEN_BYTES, SEEN_SHARE = 4096, 64
"""A file of at most so many bytes, and one more for so many pixels, may be of a single colour."""

NOISE = 2
"""How far the values of a result of one colour are apart, of 255; 1 was measured."""

library()  # before the process may open no more than it needs


def read(data: Data, kind: str, limits: Limits, all_frames: bool) -> Source:
    """The picture, decoded.

    Raises:
        PictureError: if it is broken, or larger than it may be.
    """
    found = decoded.header(data, limits, all_frames=all_frames)
    count = len(found.delays) if all_frames else 1
    image = _image(*decoded.pixels(data, found, count), found, count)
    exif = bytes(found.boxes.get(b"Exif", b""))
    # The block begins after the number of bytes that are between (18181-2, 9.5).
    start = 4 + int.from_bytes(exif[:4], "big")
    return Source(
        kind,
        image,
        exif=exif[start:] or None,
        xmp=bytes(found.boxes.get(b"xml ", b"")) or None,
        size=(found.width, found.height),
        frames=count,
        delays=found.delays if count > 1 else (),
        loop=found.loop,
    )


def _image(strip: bytearray, black: bytearray, found: decoded.Header, count: int) -> pyvips.Image:
    format = "ushort" if found.is_deep else "uchar"
    width, height = found.width, found.height * count
    image = pyvips.Image.new_from_memory(strip, width, height, found.bands, format)
    spaces = _DEEP_SPACES if found.is_deep else _SPACES
    image = image.copy(interpretation=spaces[found.bands])
    if black:
        key = pyvips.Image.new_from_memory(black, width, height, 1, format)
        inks = image[:3].bandjoin(key).invert()
        image = inks.bandjoin(image[3]) if found.bands > 3 else inks
        image = image.copy_memory().copy(interpretation="cmyk")
    if found.profile:
        image = with_profile(image, found.profile)
    return image


def opened(data: Data, *, access: str) -> pyvips.Image:
    """A result as it is checked: its size and frames, and its pixels where they may all be the
    same. Elsewhere they are black: to decode takes as long as a quick encoder."""
    found = decoded.header(data, Limits())
    count = len(found.delays)
    if len(data) <= SEEN_BYTES + found.width * found.height // SEEN_SHARE:
        strip, black = decoded.pixels(data, found, 1)
        image = _image(_levelled(strip, found.bands), black, found, 1)
    else:
        image = pyvips.Image.black(found.width, found.height, bands=found.bands)
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, "n-pages", count)
    return image


def _levelled(values: bytearray, bands: int) -> bytearray:
    """The pixels, all the same where they differ by no more than the encoder makes one colour."""
    if all(max(values[n::bands]) - min(values[n::bands]) <= NOISE for n in range(bands)):
        return values[:bands] * (len(values) // bands)
    return values


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


def of_graphic(image: pyvips.Image, effort: Effort, keep: int) -> list[bytes]:
    """The file without loss."""
    is_photograph = kind_of(image, tried=ALL_EFFORTS_PIXELS) is Kind.PHOTOGRAPH
    if effort is Effort.FAST or is_photograph:
        return []
    return [_save(image, None, effort, keep)]


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


def _check(data: Data, limits: Limits) -> None:
    with suppress(IndexError):  # it ends too early, which libjxl says
        limits.check_size(*size(io.BytesIO(data)))


def _check_whole(data: Data, all_frames: bool) -> None:
    """Nothing: `read` has decoded all that is shown, and refuses what was cut off or is broken."""


READER = Reader(load=opened, decode=read, check=_check, check_whole=_check_whole)
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

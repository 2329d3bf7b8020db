"""A JPEG XL decoded."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import byref, c_size_t
from dataclasses import dataclass, field
from typing import Any

from imaging.data import Data
from imaging.errors import ENDS_EARLY, PictureError
from imaging.formats.c_library import CLibrary
from imaging.formats.jxl.library import address, library
from imaging.formats.jxl.structures import (
    BasicInfo,
    ColorEncoding,
    ExtraChannelInfo,
    FrameHeader,
    PixelFormat,
)
from imaging.limits import MAX_METADATA, Limits

SUCCESS, ERROR, NEED_MORE_INPUT, NEED_PIXELS, NEED_JPEG, NEED_BOX = 0, 1, 2, 5, 6, 7
BASIC_INFO, COLOURS, FRAME, PIXELS, JPEG, BOX = 0x40, 0x100, 0x400, 0x1000, 0x2000, 0x4000
"""JxlDecoderStatus."""

_AS_ENCODED = 1
"""JXL_COLOR_PROFILE_TARGET_DATA: the colours of the pixels that are given out."""
_SRGB = (1, 1, 13)
"""White point, primaries and curve of sRGB (JxlColorEncoding)."""
_GREY = 1
_ALPHA, _BLACK = 0, 4
"""JxlExtraChannelType."""
MAX_CHANNELS = 8
"""Channels beside the colours; each takes four bytes a pixel."""

UINT8, UINT16 = 2, 3
"""JxlDataType."""
NATIVE = 0

STEP = 65_536
"""Bytes of a box that are asked for at a time."""

TOO_EARLY = f"the picture cannot be read: {ENDS_EARLY}"
BROKEN = "the picture cannot be read: the JPEG XL is broken, or of a variant that is not supported"


@dataclass
class Header:
    """The description of a picture, which comes before its pixels."""

    width: int = 0
    height: int = 0
    bands: int = 0
    """Grey, or red, green and blue, or with `black` cyan, magenta and yellow; and alpha."""
    black: int | None = None
    """The number of the channel of black among those beside the colours, of CMYK."""
    is_deep: bool = False
    """Whether it has more than 8 bits a value, which are given as 16 then; never of CMYK."""
    profile: bytes | None = None
    """Of the colours; None of sRGB."""
    delays: list[int] = field(default_factory=list)
    """Milliseconds of each frame, one of a still."""
    loop: int = 0
    boxes: dict[bytes, bytearray] = field(default_factory=dict)
    """Metadata by the kind of its box: the first of each kind."""
    has_jpeg: bool = False
    """Whether there is what a JPEG is made of again."""
    is_cut: bool = False
    """Whether the file ends too early, as far as that is seen."""


@contextmanager
def decoder_of(data: Data, events: int, *, closed: bool) -> Iterator[tuple[CLibrary, Any]]:
    """libjxl, and its decoder of these bytes.

    Args:
        closed: whether it is told that these are all: an end too early is an error then.
    """
    jxl = library()
    decoder = jxl.DecoderCreate(None)
    if not decoder:
        raise MemoryError
    whole = bytes(data)
    try:
        jxl.DecoderSubscribeEvents(decoder, events)
        jxl.DecoderSetDecompressBoxes(decoder, 1)
        jxl.DecoderSetUnpremultiplyAlpha(decoder, 1)
        jxl.DecoderSetInput(decoder, *address(whole))
        if closed:
            jxl.DecoderCloseInput(decoder)
        yield jxl, decoder
    finally:
        jxl.DecoderDestroy(decoder)


def header(data: Data, limits: Limits, *, all_frames: bool = True) -> Header:
    """What is said of the picture, of its frames and of its metadata; no pixels are decoded.

    Raises:
        PictureError: if it is broken, ends before its first frame, or is larger than it may be.
    """
    found, status = _header(data, limits, all_frames=all_frames, closed=True)
    if status == ERROR:
        found, status = _header(data, limits, all_frames=all_frames, closed=False)
        found.is_cut = status == NEED_MORE_INPUT
    if status != SUCCESS and not found.is_cut:
        raise PictureError(BROKEN)
    if not found.delays:
        raise PictureError(TOO_EARLY if found.is_cut else BROKEN)
    return found


def _header(data: Data, limits: Limits, *, all_frames: bool, closed: bool) -> tuple[Header, int]:
    """The same as far as it can be read, and how that ended."""
    found = Header()
    ticks = (1, 1000)
    box: bytearray | None = None
    buffer = bytearray(STEP)
    events = BASIC_INFO | COLOURS | FRAME | BOX
    with decoder_of(data, events, closed=closed) as (jxl, decoder):
        while True:
            status = jxl.DecoderProcessInput(decoder)
            if box is not None and status in (BOX, NEED_BOX, SUCCESS, NEED_MORE_INPUT):
                box += buffer[: len(buffer) - jxl.DecoderReleaseBoxBuffer(decoder)]
                limits.check_metadata(sum(map(len, found.boxes.values())))
            if status == NEED_BOX:
                buffer = bytearray(STEP)
                jxl.DecoderSetBoxBuffer(decoder, *address(buffer))
            elif status == BOX:
                box = _new_box(jxl, decoder, found)
                if box is not None:
                    buffer = bytearray(STEP)
                    jxl.DecoderSetBoxBuffer(decoder, *address(buffer))
            elif status == BASIC_INFO:
                ticks = _basics(jxl, decoder, found, limits)
            elif status == COLOURS:
                found.profile = _profile(jxl, decoder, limits)
            elif status == FRAME:
                frame = FrameHeader()
                jxl.DecoderGetFrameHeader(decoder, byref(frame))
                found.delays.append(frame.duration * 1000 * ticks[1] // max(1, ticks[0]))
                limits.check_frames(len(found.delays))
                limits.check_size(found.width, found.height, len(found.delays) if all_frames else 1)
            else:
                if status == NEED_MORE_INPUT:  # a box of which only a part is there says nothing
                    found.boxes = {n: b for n, b in found.boxes.items() if b is not box}
                return found, status


def pixels(data: Data, found: Header, frames: int) -> tuple[bytearray, bytearray, int]:
    """The first frames, one below the other, in whole; their black, empty but of CMYK; and how many
    there are. Of ink all of it is 0 (18181-1, D.3.6).

    Of a file that ends too early, which is noted, these are the whole frames, or of the first one
    as much as there is: all of it in less detail, or some of its parts.

    Raises:
        PictureError: if they are broken, or nothing is there.
    """
    kind = PixelFormat(found.bands, UINT16 if found.is_deep else UINT8, NATIVE, 0)
    size = found.width * found.height * found.bands * (2 if found.is_deep else 1)
    strip = bytearray(size * frames)
    view, done = (ctypes.c_uint8 * len(strip)).from_buffer(strip), 0
    start = ctypes.addressof(view)
    grey, plane = PixelFormat(1, UINT8, NATIVE, 0), found.width * found.height
    black = bytearray(0 if found.black is None else plane * frames)
    with decoder_of(data, PIXELS, closed=False) as (jxl, decoder):
        while done < frames:
            status = jxl.DecoderProcessInput(decoder)
            if status == NEED_PIXELS:
                needed = c_size_t()
                jxl.DecoderImageOutBufferSize(decoder, byref(kind), byref(needed))
                if needed.value != size:
                    raise PictureError(BROKEN)
                place = ctypes.c_void_p(start + done * size)
                jxl.DecoderSetImageOutBuffer(decoder, byref(kind), place, size)
                if black:
                    at, _ = address(memoryview(black)[done * plane :])
                    channel = byref(grey), at, plane, found.black
                    if jxl.DecoderSetExtraChannelBuffer(decoder, *channel) != SUCCESS:
                        raise PictureError(BROKEN)
            elif status == PIXELS:
                done += 1
            elif status != NEED_MORE_INPUT:
                raise PictureError(BROKEN)
            elif done or jxl.DecoderFlushImage(decoder) == SUCCESS:
                found.is_cut, done = True, max(1, done)
                return strip[: done * size], black[: done * plane], done
            else:
                raise PictureError(TOO_EARLY)
    return strip, black, done


def _new_box(jxl: CLibrary, decoder: Any, found: Header) -> bytearray | None:
    """Where the content of the box goes that begins, None if nobody wants it."""
    kind = ctypes.create_string_buffer(4)
    jxl.DecoderGetBoxType(decoder, kind, 1)
    name = kind.raw
    found.has_jpeg = found.has_jpeg or name == b"jbrd"
    if name not in (b"Exif", b"xml ") or name in found.boxes:
        return None
    return found.boxes.setdefault(name, bytearray())


def _basics(jxl: CLibrary, decoder: Any, found: Header, limits: Limits) -> tuple[int, int]:
    """Note the size and the channels. Returns ticks in how many seconds."""
    info = BasicInfo()
    jxl.DecoderGetBasicInfo(decoder, byref(info))
    limits.check_size(info.xsize, info.ysize)
    if info.num_extra_channels > MAX_CHANNELS:
        raise PictureError(
            f"the picture cannot be read: it has {info.num_extra_channels} channels beside its "
            f"colours, and {MAX_CHANNELS} are read at most"
        )
    for number in range(info.num_extra_channels):
        extra = ExtraChannelInfo()
        jxl.DecoderGetExtraChannelInfo(decoder, number, byref(extra))
        if extra.type == _BLACK and info.num_color_channels == 3:
            found.black = number
    found.width, found.height = info.xsize, info.ysize
    found.bands = info.num_color_channels + (info.alpha_bits > 0)
    found.is_deep = info.bits_per_sample > 8 and found.black is None
    found.loop = info.animation.num_loops if info.have_animation else 0
    if not info.have_animation:
        return 1, 0
    return info.animation.tps_numerator, info.animation.tps_denominator


def _profile(jxl: CLibrary, decoder: Any, limits: Limits) -> bytes | None:
    encoding = ColorEncoding()
    known = jxl.DecoderGetColorAsEncodedProfile(decoder, _AS_ENCODED, byref(encoding)) == SUCCESS
    if known:
        grey = encoding.color_space == _GREY
        primaries = _SRGB[1] if grey else encoding.primaries
        if (encoding.white_point, primaries, encoding.transfer_function) == _SRGB:
            return None
    size = c_size_t()
    if jxl.DecoderGetICCProfileSize(decoder, _AS_ENCODED, byref(size)) != SUCCESS or not size.value:
        return None
    if size.value > MAX_METADATA:
        limits.check_metadata(size.value)
    profile = bytearray(size.value)
    if jxl.DecoderGetColorAsICCProfile(decoder, _AS_ENCODED, *address(profile)) != SUCCESS:
        return None
    return bytes(profile)

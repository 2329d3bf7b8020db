"""Pixels encoded as JPEG XL, and a JPEG packed into one."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ctypes import byref, c_size_t, c_void_p
from dataclasses import dataclass
from typing import Any

from imaging.errors import PictureError
from imaging.formats.c_library import CLibrary
from imaging.formats.jxl.decoded import NATIVE, UINT8
from imaging.formats.jxl.library import address, library
from imaging.formats.jxl.structures import BasicInfo, ColorEncoding, FrameHeader, PixelFormat

_SUCCESS, _MORE = 0, 2
"""JxlEncoderStatus."""
_EFFORT, _KEEP_INVISIBLE = 0, 12
"""JxlEncoderFrameSettingId."""
_STEP = 65_536
_MILLISECOND = (1000, 1)

Box = tuple[int, int, int, int]
"""Left, top, width and height."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the picture that is new, and for how long it is shown."""

    pixels: bytes
    place: Box
    delay: int = 0
    """Milliseconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How pixels are encoded."""

    effort: int
    """1 to 9, as libjxl counts."""
    distance: float | None
    """In just noticeable differences; None without loss."""


class _Failed(Exception):
    """libjxl cannot do what it was asked for."""


def encoded(
    size: tuple[int, int],
    bands: int,
    frames: Sequence[Frame],
    settings: Settings,
    *,
    loop: int = 0,
    profile: bytes | None = None,
    exif: bytes | None = None,
) -> bytes:
    """The file: a codestream alone where there is no metadata.

    Args:
        size: width and height in pixels.
        bands: grey or red, green and blue; and alpha. 8 bit each.
        profile: of the colours; sRGB without one.
        exif: the block, without the name that JPEG puts before it.

    Raises:
        PictureError: if libjxl cannot.
    """
    with _encoder() as (jxl, encoder):
        info, header = BasicInfo(), FrameHeader()
        jxl.EncoderInitBasicInfo(byref(info))
        info.xsize, info.ysize = size
        info.bits_per_sample = 8
        has_alpha = bands % 2 == 0
        info.num_color_channels = bands - has_alpha
        info.num_extra_channels = int(has_alpha)
        info.alpha_bits = 8 * has_alpha
        info.uses_original_profile = settings.distance is None
        if len(frames) > 1:
            info.have_animation = 1
            info.animation.tps_numerator, info.animation.tps_denominator = _MILLISECOND
            info.animation.num_loops = loop
        if exif:
            _done(jxl.EncoderUseBoxes(encoder))
        _done(jxl.EncoderSetBasicInfo(encoder, byref(info)))
        if profile:
            _done(jxl.EncoderSetICCProfile(encoder, *address(profile)))
        else:
            colours = ColorEncoding()
            jxl.ColorEncodingSetToSRGB(byref(colours), info.num_color_channels == 1)
            _done(jxl.EncoderSetColorEncoding(encoder, byref(colours)))
        kind = PixelFormat(bands, UINT8, NATIVE, 0)
        for frame in frames:
            options = _settings(jxl, encoder, settings, has_alpha)
            if len(frames) > 1:
                jxl.EncoderInitFrameHeader(byref(header))
                header.duration = frame.delay
                layer = header.layer_info
                layer.have_crop = frame.place != (0, 0, *size)
                layer.crop_x0, layer.crop_y0, layer.xsize, layer.ysize = frame.place
                layer.save_as_reference = layer.blend_info.source = 1
                _done(jxl.EncoderSetFrameHeader(options, byref(header)))
            _done(jxl.EncoderAddImageFrame(options, byref(kind), *address(frame.pixels)))
        if exif:
            block = bytes(4) + exif  # where in it the TIFF header is (18181-2, 9.5)
            _done(jxl.EncoderAddBox(encoder, b"Exif", *address(block), 0))
        return _written(jxl, encoder)


def packed(jpeg: bytes, effort: int) -> bytes:
    """The JPEG in fewer bytes, out of which it comes again as it was.

    Raises:
        PictureError: if libjxl cannot read it: arithmetic coding, CMYK, a file that was cut off.
    """
    with _encoder() as (jxl, encoder):
        _done(jxl.EncoderStoreJPEGMetadata(encoder, 1))
        options = jxl.EncoderFrameSettingsCreate(encoder, None)
        _done(jxl.EncoderFrameSettingsSetOption(options, _EFFORT, effort))
        _done(jxl.EncoderAddJPEGFrame(options, *address(jpeg)))
        return _written(jxl, encoder)


@contextmanager
def _encoder() -> Iterator[tuple[CLibrary, Any]]:
    jxl = library()
    encoder = jxl.EncoderCreate(None)
    if not encoder:
        raise MemoryError
    try:
        yield jxl, encoder
    except _Failed:
        raise PictureError("the picture cannot be converted: libjxl cannot write it") from None
    finally:
        jxl.EncoderDestroy(encoder)


def _settings(jxl: CLibrary, encoder: Any, settings: Settings, has_alpha: bool) -> Any:
    options = jxl.EncoderFrameSettingsCreate(encoder, None)
    _done(jxl.EncoderFrameSettingsSetOption(options, _EFFORT, settings.effort))
    if settings.distance is None:
        _done(jxl.EncoderSetFrameLossless(options, 1))
        _done(jxl.EncoderFrameSettingsSetOption(options, _KEEP_INVISIBLE, 1))
    else:
        _done(jxl.EncoderSetFrameDistance(options, settings.distance))
        if has_alpha:
            _done(jxl.EncoderSetExtraChannelDistance(options, 0, 0.0))
    return options


def _written(jxl: CLibrary, encoder: Any) -> bytes:
    jxl.EncoderCloseInput(encoder)
    parts = []
    while True:
        buffer = (ctypes.c_uint8 * _STEP)()
        place, left = c_void_p(ctypes.addressof(buffer)), c_size_t(_STEP)
        status = jxl.EncoderProcessOutput(encoder, byref(place), byref(left))
        parts.append(bytes(memoryview(buffer)[: _STEP - left.value]))
        if status == _SUCCESS:
            return b"".join(parts)
        if status != _MORE:
            raise _Failed


def _done(status: int) -> None:
    if status != _SUCCESS:
        raise _Failed

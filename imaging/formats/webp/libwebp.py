"""The libwebp that Pillow's wheel brings, called through its C interface (libwebp 1.6, encode.h
and decode.h): for smart subsampling, of which Pillow itself knows nothing, and for time."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import (
    POINTER,
    Structure,
    byref,
    c_char,
    c_char_p,
    c_float,
    c_int,
    c_size_t,
    c_uint8,
    c_uint32,
    c_void_p,
)
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, _webp

from imaging.formats.c_library import CLibrary, Functions
from imaging.source import pixels
from imaging.write.strips import Picture
from imaging.write.strips import bands as bands_of

_ABI = 0x0210
"""WEBP_ENCODER_ABI_VERSION and WEBP_DECODER_ABI_VERSION: a libwebp whose structures are others
refuses it."""

_DEFAULT = 0
"""WEBP_PRESET_DEFAULT."""


class Config(Structure):
    """WebPConfig."""

    _fields_ = (
        ("lossless", c_int),
        ("quality", c_float),
        ("method", c_int),
        ("image_hint", c_int),
        ("target_size", c_int),
        ("target_psnr", c_float),
        ("segments", c_int),
        ("sns_strength", c_int),
        ("filter_strength", c_int),
        ("filter_sharpness", c_int),
        ("filter_type", c_int),
        ("autofilter", c_int),
        ("alpha_compression", c_int),
        ("alpha_filtering", c_int),
        ("alpha_quality", c_int),
        ("pass", c_int),
        ("show_compressed", c_int),
        ("preprocessing", c_int),
        ("partitions", c_int),
        ("partition_limit", c_int),
        ("emulate_jpeg_size", c_int),
        ("thread_level", c_int),
        ("low_memory", c_int),
        ("near_lossless", c_int),
        ("exact", c_int),
        ("use_delta_palette", c_int),
        ("use_sharp_yuv", c_int),
        ("qmin", c_int),
        ("qmax", c_int),
    )


class Frame(Structure):
    """WebPPicture."""

    _fields_ = (
        ("use_argb", c_int),
        ("colorspace", c_int),
        ("width", c_int),
        ("height", c_int),
        ("yuv", c_void_p * 3),
        ("strides", c_int * 2),
        ("alpha", c_void_p),
        ("alpha_stride", c_int),
        ("padding_1", c_uint32 * 2),
        ("argb", c_void_p),
        ("argb_stride", c_int),
        ("padding_2", c_uint32 * 3),
        ("writer", c_void_p),
        ("custom", c_void_p),
        ("extra_info_type", c_int),
        ("extra_info", c_void_p),
        ("stats", c_void_p),
        ("error_code", c_int),
        ("progress_hook", c_void_p),
        ("user_data", c_void_p),
        ("padding_3", c_uint32 * 3),
        ("padding_4", c_void_p * 2),
        ("padding_5", c_uint32 * 8),
        ("memory", c_void_p * 2),
        ("padding_6", c_void_p * 2),
    )


class Written(Structure):
    """WebPMemoryWriter."""

    _fields_ = (
        ("data", POINTER(c_uint8)),
        ("size", c_size_t),
        ("max_size", c_size_t),
        ("padding", c_uint32),
    )


class Features(Structure):
    """WebPBitstreamFeatures."""

    _fields_ = (
        ("width", c_int),
        ("height", c_int),
        ("has_alpha", c_int),
        ("has_animation", c_int),
        ("format", c_int),
        ("padding", c_uint32 * 5),
    )


_DECODE = (c_void_p, (c_char_p, c_size_t, c_void_p, c_size_t, c_int))

_FUNCTIONS: Functions = {
    "ConfigInitInternal": (c_int, (POINTER(Config), c_int, c_float, c_int)),
    "PictureInitInternal": (c_int, (POINTER(Frame), c_int)),
    "PictureImportRGB": (c_int, (POINTER(Frame), c_void_p, c_int)),
    "PictureImportRGBA": (c_int, (POINTER(Frame), c_void_p, c_int)),
    "PictureFree": (None, (POINTER(Frame),)),
    "MemoryWrite": (c_int, (c_void_p, c_size_t, POINTER(Frame))),
    "MemoryWriterInit": (None, (POINTER(Written),)),
    "MemoryWriterClear": (None, (POINTER(Written),)),
    "Encode": (c_int, (POINTER(Config), POINTER(Frame))),
    "GetFeaturesInternal": (c_int, (c_char_p, c_size_t, POINTER(Features), c_int)),
    "DecodeRGBInto": _DECODE,
    "DecodeRGBAInto": _DECODE,
}
"""What is called, without the WebP before each name: its result and its arguments."""


@cache
def library() -> CLibrary | None:
    """libwebp, None where Pillow brings none that can be called."""
    try:
        # By Pillow's module, which is linked with it: the names of the libraries that Pillow brings
        # are made up.
        webp = CLibrary(Path(_webp.__file__), "WebP", _FUNCTIONS)
    except (OSError, AttributeError):
        return None
    return webp if webp.ConfigInitInternal(byref(Config()), _DEFAULT, 80, _ABI) else None


@dataclass(frozen=True, slots=True)
class Pixels:
    """Those of a picture, red, green and blue, with or without alpha, row by row."""

    values: bytearray
    width: int
    height: int
    bands: int


def read(data: bytes) -> Pixels | None:
    """Those of a still, in half of the time that Pillow takes, and of a small one in 0.7; None
    where that is to read it: an animation, or what cannot be decoded."""
    webp, found = library(), Features()
    if webp is None or webp.GetFeaturesInternal(data, len(data), byref(found), _ABI):
        return None
    if found.has_animation:
        return None
    bands = 4 if found.has_alpha else 3
    row = found.width * bands
    values = bytearray(row * found.height)
    decode = webp.DecodeRGBAInto if found.has_alpha else webp.DecodeRGBInto
    decoded = decode(data, len(data), _pointer(values), len(values), row)
    return Pixels(values, found.width, found.height, bands) if decoded else None


def write(picture: Picture, settings: Mapping[str, Any]) -> bytes:
    """A still with loss, with the bytes of libvips's webpsave in 0.7 of the time, and of a tiny one
    in 0.3, where it has smart subsampling; without it in 0.9 of Pillow's at effort 2, and at 6 in
    about as much.

    Args:
        picture: red, green and blue, with or without alpha.
        settings: those of webpsave.

    Raises:
        OSError: if it cannot be encoded.
    """
    webp = library()
    assert webp is not None, "asked before"
    config, frame, written = Config(), Frame(), Written()
    webp.ConfigInitInternal(byref(config), _DEFAULT, settings["Q"], _ABI)
    config.method = settings["effort"]
    webp.PictureInitInternal(byref(frame), _ABI)
    frame.width, frame.height = picture.width, picture.height
    # The plain way to halve chroma takes the colours as they are given, in much less time.
    frame.use_argb = config.use_sharp_yuv = int(bool(settings.get("smart_subsample")))
    webp.MemoryWriterInit(byref(written))
    frame.writer = ctypes.cast(webp.MemoryWrite, c_void_p)
    frame.custom = ctypes.addressof(written)
    bands = bands_of(picture)
    take = webp.PictureImportRGBA if bands == 4 else webp.PictureImportRGB
    try:
        taken = take(byref(frame), _values(picture), bands * picture.width)
        if not taken or not webp.Encode(byref(config), byref(frame)):
            raise OSError(f"cannot write a WebP: encoding error {frame.error_code}")
        return ctypes.string_at(written.data, written.size)
    finally:
        webp.PictureFree(byref(frame))
        webp.MemoryWriterClear(byref(written))


def _values(picture: Picture) -> Any:
    """All pixels, row by row."""
    if isinstance(picture, Image.Image):
        return picture.tobytes()
    return _pointer(pixels(picture))


def _pointer(values: Any) -> Any:
    """An argument that points to the first of values that may be written. An array of ctypes would
    be a class of its own for each number of them."""
    return byref(c_char.from_buffer(values))

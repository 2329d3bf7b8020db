"""libjxl, that of the wheel pylibjxl, called through its C interface: the wheel's own functions
know neither animations nor 16 bit, and need NumPy, which would take more memory than all else here.

No threads of its own: it has none unless it is given a runner for them.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_float, c_int, c_size_t, c_uint8, c_uint32, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from imaging.errors import PictureError
from imaging.formats.c_library import CLibrary, Functions
from imaging.formats.jxl.structures import (
    BasicInfo,
    ColorEncoding,
    ExtraChannelInfo,
    FrameHeader,
    PixelFormat,
)

PACKAGE = "pylibjxl"
_LIBRARY = "_pylibjxl*.so"

_BYTES = c_void_p
"""Where bytes are."""

_FUNCTIONS: Functions = {
    "DecoderVersion": (c_uint32, ()),
    "DecoderCreate": (c_void_p, (c_void_p,)),
    "DecoderDestroy": (None, (c_void_p,)),
    "DecoderRewind": (None, (c_void_p,)),
    "DecoderReleaseInput": (c_size_t, (c_void_p,)),
    "DecoderSubscribeEvents": (c_int, (c_void_p, c_int)),
    "DecoderSetDecompressBoxes": (c_int, (c_void_p, c_int)),
    "DecoderSetUnpremultiplyAlpha": (c_int, (c_void_p, c_int)),
    "DecoderProcessInput": (c_int, (c_void_p,)),
    "DecoderSetInput": (c_int, (c_void_p, _BYTES, c_size_t)),
    "DecoderCloseInput": (None, (c_void_p,)),
    "DecoderGetBasicInfo": (c_int, (c_void_p, POINTER(BasicInfo))),
    "DecoderGetExtraChannelInfo": (c_int, (c_void_p, c_size_t, POINTER(ExtraChannelInfo))),
    "DecoderGetColorAsEncodedProfile": (c_int, (c_void_p, c_int, POINTER(ColorEncoding))),
    "DecoderGetICCProfileSize": (c_int, (c_void_p, c_int, POINTER(c_size_t))),
    "DecoderGetColorAsICCProfile": (c_int, (c_void_p, c_int, _BYTES, c_size_t)),
    "DecoderGetFrameHeader": (c_int, (c_void_p, POINTER(FrameHeader))),
    "DecoderImageOutBufferSize": (c_int, (c_void_p, POINTER(PixelFormat), POINTER(c_size_t))),
    "DecoderSetImageOutBuffer": (c_int, (c_void_p, POINTER(PixelFormat), _BYTES, c_size_t)),
    "DecoderFlushImage": (c_int, (c_void_p,)),
    "DecoderSetExtraChannelBuffer": (
        c_int,
        (c_void_p, POINTER(PixelFormat), _BYTES, c_size_t, c_uint32),
    ),
    "DecoderGetBoxType": (c_int, (c_void_p, c_char_p, c_int)),
    "DecoderSetBoxBuffer": (c_int, (c_void_p, _BYTES, c_size_t)),
    "DecoderReleaseBoxBuffer": (c_size_t, (c_void_p,)),
    "DecoderSetJPEGBuffer": (c_int, (c_void_p, _BYTES, c_size_t)),
    "DecoderReleaseJPEGBuffer": (c_size_t, (c_void_p,)),
    "EncoderCreate": (c_void_p, (c_void_p,)),
    "EncoderDestroy": (None, (c_void_p,)),
    "EncoderInitBasicInfo": (None, (POINTER(BasicInfo),)),
    "EncoderInitFrameHeader": (None, (POINTER(FrameHeader),)),
    "EncoderSetBasicInfo": (c_int, (c_void_p, POINTER(BasicInfo))),
    "EncoderSetColorEncoding": (c_int, (c_void_p, POINTER(ColorEncoding))),
    "ColorEncodingSetToSRGB": (None, (POINTER(ColorEncoding), c_int)),
    "EncoderSetICCProfile": (c_int, (c_void_p, _BYTES, c_size_t)),
    "EncoderFrameSettingsCreate": (c_void_p, (c_void_p, c_void_p)),
    "EncoderFrameSettingsSetOption": (c_int, (c_void_p, c_int, ctypes.c_int64)),
    "EncoderSetFrameLossless": (c_int, (c_void_p, c_int)),
    "EncoderSetFrameDistance": (c_int, (c_void_p, c_float)),
    "EncoderSetExtraChannelDistance": (c_int, (c_void_p, c_size_t, c_float)),
    "EncoderSetFrameHeader": (c_int, (c_void_p, POINTER(FrameHeader))),
    "EncoderAddImageFrame": (c_int, (c_void_p, POINTER(PixelFormat), _BYTES, c_size_t)),
    "EncoderStoreJPEGMetadata": (c_int, (c_void_p, c_int)),
    "EncoderAddJPEGFrame": (c_int, (c_void_p, _BYTES, c_size_t)),
    "EncoderUseBoxes": (c_int, (c_void_p,)),
    "EncoderAddBox": (c_int, (c_void_p, c_char_p, _BYTES, c_size_t, c_int)),
    "EncoderCloseInput": (None, (c_void_p,)),
    "EncoderProcessOutput": (c_int, (c_void_p, POINTER(c_void_p), POINTER(c_size_t))),
}
"""What is called, without the Jxl before each name: its result and its arguments (libjxl 0.11,
decode.h and encode.h)."""


@cache
def library() -> CLibrary:
    """libjxl. To be called first before the process may open no more files.

    Raises:
        PictureError: if it is not there, or cannot be opened.
    """
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    path = next((path for folder in folders for path in Path(folder).glob(_LIBRARY)), None)
    if path is None:
        raise PictureError(f"there is no JPEG XL here: {PACKAGE} is not installed")
    try:
        return CLibrary(path, "Jxl", _FUNCTIONS)
    except (OSError, AttributeError) as error:
        raise PictureError(f"libjxl cannot be opened: {error}") from None


def address(data: bytes | bytearray | memoryview) -> tuple[Any, int]:
    """Where bytes are, as an argument that keeps them alive, and how many."""
    if isinstance(data, bytes):
        return ctypes.cast(c_char_p(data), c_void_p), len(data)
    return (c_uint8 * len(data)).from_buffer(data), len(data)

"""A JPEG XL of CMYK, which `imaging` reads and does not write."""

from __future__ import annotations

from ctypes import POINTER, byref, c_int, c_size_t, c_uint32, c_void_p
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageChops

from imaging.formats.c_library import CLibrary, Functions
from imaging.formats.jxl import encoded
from imaging.formats.jxl.decoded import NATIVE, UINT8
from imaging.formats.jxl.library import PACKAGE, address
from imaging.formats.jxl.structures import BasicInfo, ExtraChannelInfo, PixelFormat

_ALPHA, _BLACK = 0, 4
"""JxlExtraChannelType."""

_FUNCTIONS: Functions = {
    "EncoderInitExtraChannelInfo": (None, (c_int, POINTER(ExtraChannelInfo))),
    "EncoderSetExtraChannelInfo": (c_int, (c_void_p, c_size_t, POINTER(ExtraChannelInfo))),
    "EncoderSetExtraChannelBuffer": (
        c_int,
        (c_void_p, POINTER(PixelFormat), c_void_p, c_size_t, c_uint32),
    ),
}


def inked(
    image: Image.Image, profile: bytes, *, bits: int = 8, alpha: Image.Image | None = None
) -> bytes:
    """A picture of CMYK as a JPEG XL without loss.

    Args:
        bits: of each value.
        alpha: a channel before that of black.
    """
    more = _functions()
    planes = [ImageChops.invert(plane) for plane in image.split()]  # of ink all of it is 0
    others = [(_BLACK, planes.pop())]
    if alpha is not None:
        others.insert(0, (_ALPHA, alpha))
    with encoded._encoder() as (jxl, encoder):
        info = BasicInfo()
        jxl.EncoderInitBasicInfo(byref(info))
        info.xsize, info.ysize = image.size
        info.bits_per_sample, info.uses_original_profile = bits, 1
        info.num_color_channels, info.num_extra_channels = 3, len(others)
        info.alpha_bits = bits if alpha is not None else 0
        assert not jxl.EncoderSetBasicInfo(encoder, byref(info))
        for number, (kind, _) in enumerate(others):
            extra = ExtraChannelInfo()
            more.EncoderInitExtraChannelInfo(kind, byref(extra))
            extra.bits_per_sample = bits
            assert not more.EncoderSetExtraChannelInfo(encoder, number, byref(extra))
        assert not jxl.EncoderSetICCProfile(encoder, *address(profile))
        options = encoded._settings(jxl, encoder, encoded.Settings(3, None), False)
        three, one = (PixelFormat(bands, UINT8, NATIVE, 0) for bands in (3, 1))
        colours = Image.merge("RGB", planes).tobytes()
        assert not jxl.EncoderAddImageFrame(options, byref(three), *address(colours))
        for number, (_, plane) in enumerate(others):
            where, size = address(plane.tobytes())
            assert not more.EncoderSetExtraChannelBuffer(options, byref(one), where, size, number)
        return encoded._written(jxl, encoder)


def _functions() -> CLibrary:
    spec = find_spec(PACKAGE)
    assert spec
    folders = list(spec.submodule_search_locations or ())
    path = next(path for folder in folders for path in Path(folder).glob("_pylibjxl*.so"))
    return CLibrary(path, "Jxl", _FUNCTIONS)

"""A still by Pillow's libwebp. That of libvips takes a sixth to a half longer for the same bytes,
and two threads for each file, which take five times as long as to write a tiny picture."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyvips
from PIL import (
    Image,
    WebPImagePlugin,  # noqa: F401 - before the process may read no more than it needs
)

from imaging.formats.webp import libwebp
from imaging.write.palette import to_pillow
from imaging.write.strips import Picture, bands, in_memory

_SMART = "smart_subsample"

_NAMES = {"Q": "quality", "effort": "method", "lossless": "lossless", "exact": "exact"}
"""Pillow's name for each setting of libvips's webpsave."""

_WITH_SMART = ("Q", "effort", _SMART)

MAX_PIXELS = 12_000_000
"""Pillow has a copy of them, four bytes each."""


TINY_PIXELS = 16_384
"""Up to so many pixels are Pillow's: a step of libvips would take longer."""


def is_still(image: pyvips.Image) -> bool:
    """Whether it has one frame, and no more pixels than may be copied."""
    height = image.height
    return bool(image.width * height <= MAX_PIXELS and image.get_page_height() == height)


def can_write(settings: Mapping[str, Any]) -> bool:
    """Whether all of these settings of webpsave are known here."""
    if settings.get(_SMART) and libwebp.library() is None:
        return False
    known = _WITH_SMART if settings.get(_SMART) else _NAMES
    return all(name in known or not value for name, value in settings.items())


def read(data: bytes) -> Picture:
    """The pixels of a file, of an animation those of its first frame: libvips takes three times as
    long, and for a tiny one, as it starts a thread, ten times.

    Raises:
        OSError: if it cannot be decoded.
    """
    still = libwebp.read(data)
    if still and still.width * still.height > TINY_PIXELS:
        return in_memory(still.values, still.width, still.height, still.bands)
    if still:
        mode, size = "RGBA" if still.bands == 4 else "RGB", (still.width, still.height)
        return Image.frombuffer(mode, size, still.values, "raw", mode, 0, 1)
    picture = Image.open(io.BytesIO(data), formats=("WEBP",))
    picture.load()
    return picture


def write(picture: Picture, settings: Mapping[str, Any]) -> bytes:
    """The file, without metadata.

    Args:
        settings: those of webpsave.

    Raises:
        OSError, ValueError: if it cannot be encoded.
    """
    if libwebp.library() is not None and not settings.get("lossless"):
        return libwebp.write(_coloured(picture), settings)
    image = picture if isinstance(picture, Image.Image) else to_pillow(picture)
    file = io.BytesIO()
    known = {_NAMES[name]: value for name, value in settings.items() if name in _NAMES}
    image.save(file, "WEBP", **known)
    return file.getvalue()


def _coloured(picture: Picture) -> Picture:
    """With red, green and blue: grey as libvips gives it to libwebp, and Pillow too."""
    if bands(picture) > 2:
        return picture
    image = picture if isinstance(picture, Image.Image) else to_pillow(picture)
    return image.convert("RGBA" if image.has_transparency_data else "RGB")

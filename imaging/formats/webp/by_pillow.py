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

_SMART = "smart_subsample"

_NAMES = {"Q": "quality", "effort": "method", "lossless": "lossless", "exact": "exact"}
"""Pillow's name for each setting of libvips's webpsave."""

_WITH_SMART = ("Q", "effort", _SMART)

MAX_PIXELS = 12_000_000
"""Pillow has a copy of them, four bytes each."""


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


def read(data: bytes) -> Image.Image:
    """The pixels of a file, of an animation those of its first frame: libvips takes three times as
    long, and for a tiny one, as it starts a thread, ten times.

    Raises:
        OSError: if it cannot be decoded.
    """
    picture = Image.open(io.BytesIO(data), formats=("WEBP",))
    picture.load()
    return picture


def write(image: Image.Image, settings: Mapping[str, Any]) -> bytes:
    """The file, without metadata.

    Args:
        settings: those of webpsave.

    Raises:
        OSError, ValueError: if it cannot be encoded.
    """
    if settings.get(_SMART):
        # Grey as libvips gives it to libwebp, and Pillow too.
        colours = {"L": "RGB", "LA": "RGBA"}.get(image.mode)
        return libwebp.write(image.convert(colours) if colours else image, settings)
    file = io.BytesIO()
    known = {_NAMES[name]: value for name, value in settings.items() if name in _NAMES}
    image.save(file, "WEBP", **known)
    return file.getvalue()

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

_NAMES = {"Q": "quality", "effort": "method", "lossless": "lossless", "exact": "exact"}
"""Pillow's name for each setting of libvips's webpsave."""


MAX_PIXELS = 12_000_000
"""Pillow has a copy of them, four bytes each."""


def is_still(image: pyvips.Image) -> bool:
    """Whether it has one frame, and no more pixels than may be copied."""
    height = image.height
    return bool(image.width * height <= MAX_PIXELS and image.get_page_height() == height)


def can_write(settings: Mapping[str, Any]) -> bool:
    """Whether Pillow knows all of these settings of webpsave."""
    return all(name in _NAMES or not value for name, value in settings.items())


def pixels(data: bytes) -> tuple[bytes, int]:
    """The pixels of a file, of an animation those of its first frame, and its bands: libvips takes
    three times as long, and for a tiny one, as it starts a thread, ten times.

    Raises:
        OSError: if it cannot be decoded.
    """
    image = Image.open(io.BytesIO(data), formats=("WEBP",))
    return image.tobytes(), len(image.getbands())


def write(image: Image.Image, settings: Mapping[str, Any]) -> bytes:
    """The file, without metadata.

    Args:
        settings: those of webpsave.

    Raises:
        OSError, ValueError: if it cannot be encoded.
    """
    file = io.BytesIO()
    known = {_NAMES[name]: value for name, value in settings.items() if name in _NAMES}
    image.save(file, "WEBP", **known)
    return file.getvalue()

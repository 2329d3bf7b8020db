"""A small still by Pillow's libwebp. libvips starts two threads for each file that it writes, which
takes five times as long as to write a tiny picture; the bytes are the same."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pyvips
from PIL import WebPImagePlugin  # noqa: F401 - before the process may read no more than it needs

from imaging.write.palette import to_pillow

_NAMES = {"Q": "quality", "effort": "method", "lossless": "lossless", "exact": "exact"}
"""What Pillow calls a setting of libvips's webpsave."""


_MAX_PIXELS = 65_536
"""Above this what libvips does beside the encoder is next to nothing."""


def can_write(image: pyvips.Image, settings: Mapping[str, Any]) -> bool:
    """Whether it is a small still, and Pillow knows all of these settings of webpsave."""
    if image.width * image.height > _MAX_PIXELS or image.get_page_height() < image.height:
        return False
    return all(name in _NAMES or not value for name, value in settings.items())


def write(image: pyvips.Image, settings: Mapping[str, Any]) -> bytes:
    """The file, without metadata.

    Args:
        image: sRGB or grey, one frame.
        settings: those of webpsave.
    """
    file = io.BytesIO()
    known = {_NAMES[name]: value for name, value in settings.items() if name in _NAMES}
    to_pillow(image).save(file, "WEBP", **known)
    return file.getvalue()

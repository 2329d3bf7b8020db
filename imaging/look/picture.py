"""A picture of libvips or of Pillow, red, green and blue of 8 bit."""

from __future__ import annotations

from typing import TypeAlias

import pyvips
from PIL import Image

Picture: TypeAlias = pyvips.Image | Image.Image
"""That of libvips is in memory."""


def as_pillow(picture: Picture) -> Image.Image:
    """Its pixels as Pillow has them."""
    if isinstance(picture, Image.Image):
        return picture
    size = picture.width, picture.height
    return Image.frombuffer("RGB", size, picture.write_to_memory(), "raw", "RGB", 0, 1)

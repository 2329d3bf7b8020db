"""From pixels to the bytes of a file."""

from __future__ import annotations

from typing import cast

import pyvips

from app.core.conversion import Format
from workers.imaging.normalise import flatten

WEBP_QUALITY = 80
"""What the older server used."""

WEBP_EFFORT = 4
PNG_QUALITY = 85
"""The upper end of `pngquant --quality=65-85`, which the older server used."""

PNG_EFFORT = 7
PNG_COMPRESSION = 9


def encode(image: pyvips.Image, format: Format, quality: int) -> bytes:
    """The file, without metadata.

    Args:
        image: upright, sRGB or grey, 8 bit.
        quality: 1 to 100; counts for JPEG.
    """
    match format:
        case Format.WEBP:
            data = image.webpsave_buffer(Q=WEBP_QUALITY, effort=WEBP_EFFORT, keep="none")
        case Format.PNG:
            data = image.pngsave_buffer(
                palette=True,
                Q=PNG_QUALITY,
                effort=PNG_EFFORT,
                compression=PNG_COMPRESSION,
                keep="none",
            )
        case Format.JPG:
            data = flatten(image).jpegsave_buffer(Q=quality, optimize_coding=True, keep="none")
    return cast(bytes, data)

"""WebP, still and animated, by libwebp."""

from __future__ import annotations

from typing import Any, cast

import pyvips

from app.core.options import Effort
from workers.imaging.encoders.scale import along

DEFAULT = 80
"""The quality where none is asked for, on libwebp's own scale; what the older server used."""

EFFORT = {Effort.FAST: 4, Effort.BALANCED: 5, Effort.SMALL: 6}

SHARP_PIXELS = 12_000_000
"""Pixels of the largest picture (or frame) that more than the plain encoder is used for: smart
subsampling takes 16 bytes a pixel, which for 50 megapixels is twice what all else needs."""

LOSSLESS_EFFORT = {Effort.FAST: 2, Effort.BALANCED: 4, Effort.SMALL: 6}

PLAIN_SCALE = (
    *((1, 1), (10, 8), (20, 15.6), (30, 31.7), (40, 42.7), (50, 55), (60, 64.2), (65, 71.2)),
    *((70, 76), (75, 78.4), (80, 82), (85, 85.6), (89, 89), (90, 93), (95, 98), (100, 100)),
)
"""The quality at which libwebp looks as a JPEG does at the one asked for, by SSIMULACRA2. From 90
on a JPEG keeps its chroma whole, which WebP cannot."""

SHARP_SCALE = (
    *((1, 1), (10, 7), (20, 14.3), (30, 29), (40, 39.4), (50, 49.5), (60, 58.2), (65, 65.1)),
    *((70, 71.6), (75, 76.4), (80, 79.6), (85, 83.2), (89, 86.2), (90, 93), (95, 98), (100, 100)),
)
"""As `PLAIN_SCALE`, with smart subsampling."""

SHARP_DEFAULT = 78
"""The quality at which libwebp with smart subsampling looks as it does at `DEFAULT` without."""

_CHUNK = slice(12, 16)
"""Where the name of the first chunk is; of an animation it is VP8X (RFC 9649, 2.7)."""
_FLAGS, _ALPHA_FLAG = 20, 0x10
"""Where that chunk's flags are, and one of them."""


def encode(
    image: pyvips.Image, quality: int, effort: Effort, *, lossless: bool, keep: int
) -> bytes:
    """The file.

    Args:
        image: sRGB or grey; with a `page-height` an animation.
        quality: 1 to 100, looks as a JPEG of this number does; 0 for the default.
        keep: what of the image's metadata is written.
    """
    if image.width * image.get_page_height() > SHARP_PIXELS:
        effort = Effort.FAST
    sharp = effort is not Effort.FAST
    settings: dict[str, Any]
    if lossless:
        settings = {"lossless": True, "exact": True, "effort": LOSSLESS_EFFORT[effort]}
    else:
        settings = {
            "Q": _quality(quality, sharp),
            "effort": EFFORT[effort],
            "smart_subsample": sharp,
        }
    data = cast(bytes, image.webpsave_buffer(keep=keep, **settings))
    # Frames that are all the same become a picture without that chunk.
    extended = data[_CHUNK] == b"VP8X"
    animated = image.get_page_height() < image.height
    return _with_alpha(data) if extended and animated and image.hasalpha() else data


def _with_alpha(data: bytes) -> bytes:
    """The file with the flag that it has alpha.

    libwebp sets it where a frame has alpha in itself, and not where frames are smaller than the
    picture; some decoders then show black around them.
    """
    flags = bytes([data[_FLAGS] | _ALPHA_FLAG])
    return data[:_FLAGS] + flags + data[_FLAGS + 1 :]


def _quality(quality: int, sharp: bool) -> int:
    if sharp:
        return along(SHARP_SCALE, quality) if quality else SHARP_DEFAULT
    return along(PLAIN_SCALE, quality) if quality else DEFAULT

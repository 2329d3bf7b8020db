"""AVIF, by libaom."""

from __future__ import annotations

from typing import Any, cast

import pyvips

from imaging.encoders.scale import along, within
from imaging.options import Effort

DEFAULT = 80
"""The quality where none is asked for: the look of a JPEG of 80."""

EFFORTS = {
    Effort.FAST: ((50e6, 2),),
    Effort.BALANCED: ((20e6, 3), (50e6, 2)),
    Effort.SMALL: ((1.5e6, 6), (5e6, 4), (20e6, 3), (50e6, 2)),
}
"""libvips's effort (9 less libaom's speed) up to so many pixels: a larger picture gets less for
each of them, or it would not be done within `limits.conversion_timeout`."""

FAST_EFFORT = 2

TUNE = "iq"
"""libaom's tuning for still pictures."""

FAST_SCALE = (
    *((1, 5), (10, 12), (20, 27.2), (30, 37.3), (40, 42.7), (50, 47.1), (60, 50.4), (70, 56.3)),
    *((75, 59.5), (80, 63.6), (85, 69.1), (89, 74.8), (90, 90), (92, 90), (94, 91), (96, 95.5)),
    (100, 99),
)
"""The quality at which libaom, at effort 2, looks as a JPEG does at the one asked for, by
SSIMULACRA2, decoded by libavif as browsers do. At 90 a JPEG begins to keep its chroma whole, which
libvips does in an AVIF from 90 of its own numbers on: no lower one can look like it."""

SCALE = (
    *((1, 4), (10, 12), (20, 26.2), (30, 36.8), (40, 41.9), (50, 46.5), (60, 49.6), (70, 55.6)),
    *((75, 58.7), (80, 62.8), (85, 68.3), (89, 73.9), (90, 90), (92, 90), (94, 91), (96, 95.3)),
    (100, 99),
)
"""As `FAST_SCALE`, at higher efforts."""


def encode(
    image: pyvips.Image, quality: int, effort: Effort, *, lossless: bool, keep: int
) -> bytes:
    """The file.

    Args:
        image: sRGB or grey.
        quality: 1 to 100, looks as a JPEG of this number does; 0 for the default.
        keep: what of the image's metadata is written.
    """
    search = within(EFFORTS[effort], image.width * image.height)
    settings: dict[str, Any] = {"lossless": True}
    if not lossless:
        scale = FAST_SCALE if search <= FAST_EFFORT else SCALE
        settings = {"Q": along(scale, quality or DEFAULT), "tune": TUNE}
    data = image.heifsave_buffer(
        compression="av1", bitdepth=8, effort=search, keep=keep, **settings
    )
    return cast(bytes, data)

"""JPEG, by mozjpeg, which is what libvips's jpegsave drives here."""

from __future__ import annotations

from typing import Any, cast

import pyvips

from app.core.options import Effort
from workers.imaging.encoders.scale import along

FULL_CHROMA = 90
"""From this quality on chroma is not subsampled, as in libvips's own jpegsave."""

KLEIN = 5
"""mozjpeg's number for the table of Klein, Silverstein and Carney, "Relevance of human vision to
JPEG-DCT compression" (1992). Of all it has, this one gave the fewest bytes at equal SSIMULACRA2
with 4:2:0; docs/engine.md has the figures."""

KLEIN_SCALE = (
    *((1, 1), (5, 4), (10, 8), (20, 18), (30, 27.3), (40, 35.2), (50, 45.8), (60, 56.3)),
    *((70, 67.4), (75, 74), (80, 80.6), (85, 86.2), (89, 90)),
)
"""The quality at which that table looks as libjpeg-turbo's own (Annex K) does, by SSIMULACRA2 on
graphics; photographs look better by 1 then."""

TRELLIS_SCALE = ((90, 91.1), (92, 92.7), (94, 94.6), (96, 96.4), (98, 98.2), (100, 100))
"""As `KLEIN_SCALE`, for trellis quantisation with the table of Annex K."""


def encode(image: pyvips.Image, quality: int, effort: Effort, *, keep: int) -> bytes:
    """The file.

    Args:
        image: without alpha.
        quality: 1 to 100; looks no worse than libjpeg-turbo does at this number.
        keep: what of the image's metadata is written.
    """
    return cast(bytes, image.jpegsave_buffer(keep=keep, **_settings(quality, effort)))


def _settings(quality: int, effort: Effort) -> dict[str, Any]:
    if effort is Effort.FAST:
        return {"Q": quality}
    small = effort is Effort.SMALL
    settings: dict[str, Any] = {"optimize_coding": True, "interlace": True, "optimize_scans": small}
    if quality < FULL_CHROMA:
        scaled = along(KLEIN_SCALE, quality)
        return {**settings, "Q": scaled, "quant_table": KLEIN, "subsample_mode": "on"}
    if small:
        return {**settings, "Q": along(TRELLIS_SCALE, quality), "trellis_quant": True}
    return {**settings, "Q": quality}

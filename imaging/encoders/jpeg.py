"""JPEG, by mozjpeg, which is what libvips's jpegsave drives here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pyvips

from imaging.encoders.scale import along
from imaging.options import Effort

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

SEVERAL_PIXELS = 500_000
"""Pixels of the largest picture that `Effort.BALANCED` writes in several ways: up to here each
takes at most 5 ms, less than all else a picture costs. Above it, progressive scans would save 2 %
and take half as long again."""

TRELLIS_SCALE = ((90, 91.1), (92, 92.7), (94, 94.6), (96, 96.4), (98, 98.2), (100, 100))
"""As `KLEIN_SCALE`, for trellis quantisation with the table of Annex K."""


def encode(image: pyvips.Image, quality: int, effort: Effort, *, keep: int) -> bytes:
    """The file: of all ways of an effort the smallest. An effort tries what the one below it does,
    so that more effort is never more bytes; a large picture is written once at `Effort.BALANCED`.

    Args:
        image: without alpha.
        quality: 1 to 100; looks no worse than libjpeg-turbo does at this number.
        keep: what of the image's metadata is written.
    """
    several = effort is Effort.SMALL or (
        effort is Effort.BALANCED and image.width * image.height <= SEVERAL_PIXELS
    )
    ways = list(_ways(quality, effort, several=several))
    if len(ways) > 1:
        image = image.copy_memory()  # it may be a stream, which can be read once
    return min((cast(bytes, image.jpegsave_buffer(keep=keep, **way)) for way in ways), key=len)


def _ways(quality: int, effort: Effort, *, several: bool) -> Iterator[dict[str, Any]]:
    """Settings of libvips's jpegsave, each of which looks as it should."""
    plain = {"Q": quality}
    if effort is Effort.FAST:
        yield plain
        return
    table: dict[str, Any] = {"Q": quality, "optimize_coding": True}
    if quality < FULL_CHROMA:
        table |= {
            "Q": along(KLEIN_SCALE, quality),
            "quant_table": KLEIN,
            "subsample_mode": "on",
        }
    yield table
    if several:
        yield plain | {"optimize_coding": True}
        yield table | {"interlace": True}
    if effort is Effort.SMALL:
        scans = {"interlace": True, "optimize_scans": True}
        yield table | scans
        if quality >= FULL_CHROMA:
            trellis = {"Q": along(TRELLIS_SCALE, quality), "trellis_quant": True}
            yield table | scans | trellis

"""libaom's quality for the one that is asked for."""

from __future__ import annotations

from imaging.write.scale import Scale

FAST_EFFORT, BALANCED_EFFORT = 2, 3
"""libvips's efforts up to which `FAST_SCALE` and `BALANCED_SCALE` are right."""

FAST_SCALE = (
    *((1, 5), (10, 12), (20, 25.4), (30, 37.4), (40, 43.8), (50, 48.1), (60, 52), (65, 54.6)),
    *((70, 57.7), (75, 61.1), (80, 65.6), (85, 70.9), (89, 78), (90, 85.2), (95, 92), (100, 99)),
)
"""The quality at which photographs by libaom, at effort 2, look, on average, as a JPEG does at the
one asked for, by SSIMULACRA2, decoded by libavif as browsers do; docs/engine.md says how far single
ones are from it. At 90 a JPEG begins to keep its chroma whole, and so does this format."""

BALANCED_SCALE = (
    *((1, 4), (10, 12), (20, 25.2), (30, 36.6), (40, 43.9), (50, 47.1), (60, 51.7), (65, 54.6)),
    *((70, 57.6), (75, 60.4), (80, 65.7), (85, 70.4), (89, 76.6), (90, 84.6), (95, 91.8)),
    (100, 99),
)
"""As `FAST_SCALE`, at effort 3."""

SMALL_SCALE = (
    *((1, 4), (10, 12), (20, 25.2), (30, 36.6), (40, 43), (50, 47.1), (60, 51.4), (65, 54.1)),
    *((70, 57), (75, 59.6), (80, 64.1), (85, 70), (89, 76.6), (90, 84.6), (95, 91.8), (100, 99)),
)
"""As `FAST_SCALE`, at higher efforts: the same number looks better than at 3."""


def scale_of(effort: int) -> Scale:
    """The table for libvips's effort."""
    if effort <= FAST_EFFORT:
        return FAST_SCALE
    return BALANCED_SCALE if effort <= BALANCED_EFFORT else SMALL_SCALE

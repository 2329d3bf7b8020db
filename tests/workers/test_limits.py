"""Limits that nobody has given."""

from __future__ import annotations

from app.core.config.sections import LimitSettings
from imaging.limits import Limits
from workers.decoder.process import DecoderLimits


def test_they_are_those_of_the_settings() -> None:
    """Imaging knows no settings, and benchmarks and tests give it none."""
    given = LimitSettings()
    assert Limits() == Limits(given.max_pixels, given.max_frames, given.max_side)
    assert DecoderLimits() == DecoderLimits(
        given.decoder_memory, given.decoder_pictures, given.decoder_growth
    )

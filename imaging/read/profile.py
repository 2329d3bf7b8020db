"""The ICC profile that an image has in libvips."""

from __future__ import annotations

import pyvips

PROFILE = "icc-profile-data"
"""libvips's name for it."""


def with_profile(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """The image with this profile in place of its own."""
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return image


def without_profile(image: pyvips.Image) -> pyvips.Image:
    """The image without any."""
    if not image.get_typeof(PROFILE):
        return image
    image = image.copy()
    image.remove(PROFILE)
    return image

"""Pixels as every encoder wants them: upright, sRGB or grey, 8 bit."""

from __future__ import annotations

import pyvips

GREY = ("b-w", "grey16")
WHITE = 255


def normalise(image: pyvips.Image) -> pyvips.Image:
    """The image with its orientation applied and its colours in sRGB (or grey), 8 bit a band.

    An alpha channel is kept.
    """
    return _to_srgb(image.autorot())


def flatten(image: pyvips.Image) -> pyvips.Image:
    """The image without alpha, on white."""
    return image.flatten(background=[WHITE]) if image.hasalpha() else image


def _to_srgb(image: pyvips.Image) -> pyvips.Image:
    if image.get_typeof("icc-profile-data") != 0 and image.coding == "none":
        try:
            return image.icc_transform("srgb", embedded=True, depth=8).cast("uchar")
        except pyvips.Error:
            # The profile is broken or for other bands than the picture has: as if there were none.
            image = image.copy()
            image.remove("icc-profile-data")
    space = "b-w" if image.interpretation in GREY and image.bands <= 2 else "srgb"
    return image.colourspace(space).cast("uchar")

"""Pixels as every encoder wants them: upright, sRGB or grey, 8 bit."""

from __future__ import annotations

import pyvips

from imaging.colour.icc import tinted
from imaging.metadata import PROFILE

GREY = ("b-w", "grey16")


def normalise(
    image: pyvips.Image, *, keep_profile: bool = False, turn: bool = True
) -> pyvips.Image:
    """The image with its orientation applied and its colours in sRGB (or grey), 8 bit a band.

    An alpha channel is kept.

    Args:
        keep_profile: leave the colours in the picture's own space, with its profile; else the
            image has none.
        turn: apply the orientation.
    """
    if turn:
        image = image.autorot()
    if keep_profile:
        return _to_8_bit(image)
    return _to_srgb(image)


def flatten(image: pyvips.Image, background: str | None = None) -> pyvips.Image:
    """The image without alpha, on a colour.

    Args:
        background: six hex digits; white without one.
    """
    if not image.hasalpha():
        return image
    red, green, blue = colour(background)
    if image.bands == 2:
        if red == green == blue:
            return image.flatten(background=[red])
        image = image.colourspace("srgb")
    return image.flatten(background=[red, green, blue])


def colour(background: str | None) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of six hex digits; white without them."""
    red, green, blue = bytes.fromhex(background or "ffffff")
    return red, green, blue


def _has_profile(image: pyvips.Image) -> bool:
    return bool(image.get_typeof(PROFILE) != 0 and image.coding == "none")


def _is_grey(image: pyvips.Image) -> bool:
    return image.interpretation in GREY and image.bands <= 2


def _to_srgb(image: pyvips.Image) -> pyvips.Image:
    if _has_profile(image):
        try:
            tripled = _tripled(image) if _is_grey(image) else image
            srgb = tripled.icc_transform("srgb", embedded=True, depth=8).cast("uchar")
            return _without_profile(srgb.colourspace("b-w") if _is_grey(image) else srgb)
        except pyvips.Error:
            # The profile is broken or for other bands than the picture has: as if there were none.
            image = _without_profile(image)
    return _to_8_bit(image)


def _tripled(image: pyvips.Image) -> pyvips.Image:
    """A grey image as red, green and blue, where its profile can be made one for these."""
    profile = tinted(bytes(image.get(PROFILE)))
    if profile is None:
        return image
    grey = image[0]
    alpha = [image[1]] if image.bands == 2 else []
    tripled = grey.bandjoin([grey, grey, *alpha])
    tripled = tripled.copy(interpretation="rgb16" if image.format == "ushort" else "srgb")
    tripled.set_type(pyvips.GValue.blob_type, PROFILE, profile)
    return tripled


def _without_profile(image: pyvips.Image) -> pyvips.Image:
    image = image.copy()
    image.remove(PROFILE)
    return image


def _to_8_bit(image: pyvips.Image) -> pyvips.Image:
    return image.colourspace("b-w" if _is_grey(image) else "srgb").cast("uchar")

"""Whether a result can have the profile that its picture has."""

from __future__ import annotations

import pyvips

from imaging.codec import Writer
from imaging.colour.icc import GREY, RGB, colours_of
from imaging.colour.profile import PROFILE
from imaging.options import Keep, Options


def keeps_profile(image: pyvips.Image, writer: Writer, options: Options) -> bool:
    """Whether the profile is to be kept and fits the pixels that will be written with it.

    Args:
        image: as it was decoded.
    """
    if Keep.ICC not in options.keep or not image.get_typeof(PROFILE):
        return False
    colours = colours_of(bytes(image.get(PROFILE)))
    if image.interpretation in ("b-w", "grey16"):
        stays_grey = writer.is_grey and not _is_coloured(options.background)
        return colours == GREY and image.bands <= 2 and stays_grey
    return (
        colours == RGB
        and image.interpretation in ("srgb", "rgb16")
        and image.bands in (3, 4)
        and writer.has_profile
    )


def has_grey_profile(image: pyvips.Image) -> bool:
    """Whether the image has a profile for grey, with which a PNG can have no palette (PNG, third
    edition, 11.3.2.3)."""
    return bool(image.get_typeof(PROFILE)) and colours_of(bytes(image.get(PROFILE))) == GREY


def _is_coloured(background: str | None) -> bool:
    return background is not None and len(set(bytes.fromhex(background))) > 1

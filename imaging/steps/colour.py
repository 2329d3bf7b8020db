"""To sRGB or grey, or in the picture's own colours with its profile; 8 bit a band."""

from __future__ import annotations

from dataclasses import replace

import pyvips

from imaging.codec import Writer
from imaging.codecs import WRITERS
from imaging.colour import icc
from imaging.options import Keep, Options
from imaging.read.profile import PROFILE, with_profile, without_profile
from imaging.source import Source
from imaging.target import Target

GREY = ("b-w", "grey16")


def apply(source: Source, target: Target) -> Source:
    """An alpha channel is kept. With its profile if that is to be kept, else without any."""
    image = source.image
    if keeps_profile(image, WRITERS[target.format], target.options):
        return replace(source, image=_to_8_bit(image))
    return replace(source, image=to_srgb(image))


def keeps_profile(image: pyvips.Image, writer: Writer, options: Options) -> bool:
    """Whether the profile is to be kept and fits the pixels that will be written with it.

    Args:
        image: as it was decoded.
    """
    if Keep.ICC not in options.keep or not image.get_typeof(PROFILE):
        return False
    colours = icc.colours_of(bytes(image.get(PROFILE)))
    if image.interpretation in GREY:
        stays_grey = writer.is_grey and not _is_coloured(options.background)
        return colours == icc.GREY and image.bands <= 2 and stays_grey
    return (
        colours == icc.RGB
        and image.interpretation in ("srgb", "rgb16")
        and image.bands in (3, 4)
        and writer.has_profile
    )


def _is_coloured(background: str | None) -> bool:
    return background is not None and len(set(bytes.fromhex(background))) > 1


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """The image in sRGB (or grey), 8 bit a band, without a profile."""
    if _has_profile(image):
        try:
            tripled = _tripled(image) if _is_grey(image) else image
            srgb = tripled.icc_transform("srgb", embedded=True, depth=8).cast("uchar")
            return without_profile(srgb.colourspace("b-w") if _is_grey(image) else srgb)
        except pyvips.Error:
            pass  # The profile is broken or for other bands than the picture has: as if none.
    return _to_8_bit(without_profile(image))


def _has_profile(image: pyvips.Image) -> bool:
    return bool(image.get_typeof(PROFILE) != 0 and image.coding == "none")


def _is_grey(image: pyvips.Image) -> bool:
    return image.interpretation in GREY and image.bands <= 2


def _tripled(image: pyvips.Image) -> pyvips.Image:
    """A grey image as red, green and blue, where its profile can be made one for these."""
    profile = icc.tinted(bytes(image.get(PROFILE)))
    if profile is None:
        return image
    grey = image[0]
    alpha = [image[1]] if image.bands == 2 else []
    tripled = grey.bandjoin([grey, grey, *alpha])
    tripled = tripled.copy(interpretation="rgb16" if image.format == "ushort" else "srgb")
    return with_profile(tripled, profile)


def _to_8_bit(image: pyvips.Image) -> pyvips.Image:
    wanted = "b-w" if _is_grey(image) else "srgb"
    if (image.interpretation, image.format, image.coding) == (wanted, "uchar", "none"):
        return image
    return image.colourspace(wanted).cast("uchar")

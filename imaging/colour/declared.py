"""The pixels of a picture with what its file says of their colours."""

from __future__ import annotations

import struct

import pyvips

from imaging.colour.hdr import to_sdr
from imaging.colour.icc import code_points, made
from imaging.colour.said import Said
from imaging.colour.space import Space
from imaging.read.profile import PROFILE, with_profile, without_profile

_GREY = ("b-w", "grey16")
_BLACK, _WHITE = 16, 235
"""Of the limited range, of 8 bits or the upper 8 (ITU-T H.273, 8.3)."""


def declared(image: pyvips.Image, what: Said) -> pyvips.Image:
    """The pixels in the full range, in sRGB or with the profile of what they are in, their colours
    not multiplied by alpha.

    Args:
        image: as the decoder gives it. Where it is HDR it is read twice, in any order.
    """
    if what.profile is not None and not image.get_typeof(PROFILE):
        image = with_profile(image, what.profile)
    if what.limited and image.format in ("uchar", "ushort"):
        image = _in_full_range(image)
    if what.premultiplied and image.hasalpha():
        image = _divided(image)
    space = what.space
    profile = image.get(PROFILE) if image.get_typeof(PROFILE) else None
    if profile is not None and not what.first:
        space = code_points(profile)
        if space is None or not space.is_hdr:
            return image
    return image if space is None or image.interpretation == "cmyk" else _in(image, space)


def _in(image: pyvips.Image, space: Space) -> pyvips.Image:
    """The pixels, which are in this space, with its profile or in sRGB."""
    grey = image.interpretation in _GREY and image.bands <= 2
    if not space.is_hdr and not space.is_srgb(grey=grey):
        try:
            return with_profile(image, made(space, grey=grey))
        except (struct.error, ZeroDivisionError):
            return image  # numbers that make no space count as none
    image = without_profile(image)
    return to_sdr(image, space) if space.is_hdr else image


def _divided(image: pyvips.Image) -> pyvips.Image:
    """The pixels, whose colours are multiplied by alpha, as if they were not."""
    most = _most(image)
    return (
        image.unpremultiply(max_alpha=most)
        .rint()
        .cast(image.format)
        .copy(interpretation=image.interpretation)
    )


def _in_full_range(image: pyvips.Image) -> pyvips.Image:
    """Black and white of the limited range at 0 and the largest value; alpha stays."""
    shift = 8 if image.format == "ushort" else 0
    most = _most(image)
    scale = most / (_WHITE - _BLACK << shift)
    colours = image.bands - int(image.hasalpha())
    factors = [scale] * colours + [1.0] * (image.bands - colours)
    offsets = [-scale * (_BLACK << shift)] * colours + [0.0] * (image.bands - colours)
    return image.linear(factors, offsets).rint().cast(image.format)


def _most(image: pyvips.Image) -> int:
    """The largest value."""
    if image.format == "uchar":
        return 255
    bits = int(image.get("bits-per-sample")) if image.get_typeof("bits-per-sample") else 16
    return (1 << bits) - 1 << 16 - bits if 8 < bits <= 16 else 65_535

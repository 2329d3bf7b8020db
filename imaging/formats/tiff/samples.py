"""Numbers of any kind and range, as the unsigned ones of 8 and 16 bit that the engine takes."""

from __future__ import annotations

from collections.abc import Callable

import pyvips

from imaging.errors import PictureError
from imaging.formats.tiff.layout import Layout, Numbers

FULL_16 = 2**16 - 1
FULL_32 = 2**32 - 1

TOLERANCE = 0.01
"""By how much of its range a sample may be outside and still count as within: rounding, and what
resampling adds at edges."""

DARK = 256
"""Integers of 32 bit whose largest is this part of the range would all be black with 8 bits."""

MOST = 255 / 2
"""The mean of an answer, 0 or 255 for each sample, that is yes for half of them."""

_EXPONENT, _MANTISSA = 2**11 - 1, 2**20 - 1
"""The bits of the upper half of a float of 64 bit, without the sign (IEEE 754)."""


def to_16_bit(open_colours: Callable[[], pyvips.Image], layout: Layout) -> pyvips.Image:
    """The colours as integers of 16 bit, from black to white.

    Floats are from 0 to 1, as photo editors and libvips have them, and clipped: scenes with lights
    brighter than white keep what is below. Where most samples are beyond, or integers would all be
    black, the numbers are measurements: then the range counts that the file declares, and without
    one it is refused.

    Args:
        open_colours: opens the samples that are colours; more than once where they are looked at
            before they are converted.

    Raises:
        PictureError: if it cannot be said what is black and what is white.
        pyvips.Error: if they cannot be read.
    """
    if layout.numbers is Numbers.SIGNED:
        if layout.declared is None:
            raise PictureError(
                f"signed integers of {layout.bits} bits without SMinSampleValue and "
                "SMaxSampleValue do not say what is black and what is white"
            )
        return scaled(open_colours(), *layout.declared)
    if layout.numbers is Numbers.FLOAT:
        return _from_floats(open_colours, layout)
    if layout.bits < 32:
        return open_colours()
    return _from_integers(open_colours, layout)


def alpha_to_16_bit(alpha: pyvips.Image, layout: Layout) -> pyvips.Image:
    """Alpha as integers of 16 bit; it always has the whole range of its numbers."""
    if layout.numbers is Numbers.FLOAT:
        return scaled(alpha, 0, 1)
    if layout.numbers is Numbers.SIGNED:
        return scaled(alpha, 0, 2.0 ** (layout.bits - 1) - 1)
    return alpha if layout.bits < 32 else scaled(alpha, 0, FULL_32)


def scaled(image: pyvips.Image, low: float, high: float) -> pyvips.Image:
    """The numbers from `low` to `high` as those from 0 to 65535, others clipped; what is not a
    number is 0."""
    factor = FULL_16 / (high - low)
    if image.format in ("float", "double"):
        image = _is_number(image).ifthenelse(image, low)
    return image.linear(factor, -low * factor).rint().cast("ushort")


def doubles(upper: pyvips.Image) -> pyvips.Image:
    """Floats of 64 bit from their upper halves, with 20 bits of mantissa."""
    exponent = (upper >> 20) & _EXPONENT
    mantissa = upper & _MANTISSA
    value = (mantissa / 2**20 + 1) * 2 ** (exponent.cast("float") - 1023)
    value = ((exponent == _EXPONENT) & (mantissa > 0)).ifthenelse(0, value)
    return (upper >= 2**31).ifthenelse(value * -1, value)


def _from_floats(open_colours: Callable[[], pyvips.Image], layout: Layout) -> pyvips.Image:
    low, high = 0.0, 1.0
    if _mostly_beyond(open_colours(), low, high):
        if layout.declared is None or _mostly_beyond(open_colours(), *layout.declared):
            raise PictureError(_of_no_range(open_colours))
        low, high = layout.declared
    return scaled(open_colours(), low, high)


def _is_number(image: pyvips.Image) -> pyvips.Image:
    return image.relational(image, "equal")


def _of_no_range(open_colours: Callable[[], pyvips.Image]) -> str:
    if _is_number(open_colours()).avg() < MOST:
        return "most of its floats are not numbers"
    found = [_is_number(image).ifthenelse(image, 0) for image in (open_colours(), open_colours())]
    return (
        f"floats from {found[0].min():g} to {found[1].max():g}, where 0 is black and 1 is white, "
        "and no SMinSampleValue and SMaxSampleValue that say otherwise"
    )


def _mostly_beyond(image: pyvips.Image, low: float, high: float) -> bool:
    margin = TOLERANCE * (high - low)
    within = (image >= low - margin) & (image <= high + margin)
    return bool(within.avg() < MOST)


def _from_integers(open_colours: Callable[[], pyvips.Image], layout: Layout) -> pyvips.Image:
    largest = open_colours().max()
    if largest >= FULL_32 / DARK or largest == 0:
        return scaled(open_colours(), 0, FULL_32)
    if layout.declared is None:
        raise PictureError(
            f"integers of {layout.bits} bits that are all black: the largest is {largest:g} of "
            f"{FULL_32}, and no SMaxSampleValue says otherwise"
        )
    return scaled(open_colours(), *layout.declared)

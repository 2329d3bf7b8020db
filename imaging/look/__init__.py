"""The look of a picture beside its original, by SSIMULACRA2 (github.com/cloudinary/ssimulacra2):
100 is the same picture, 90 cannot be told apart side by side, 70 is high and 50 medium quality."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import pyvips

from imaging.look import by_pillow, by_vszip
from imaging.look.picture import Picture
from imaging.look.scale import CHANNELS, WHOLE_SIDE

EXPECTED, TOLERANCE = 76.45, 0.5
"""What vszip says of the picture of `fastest_working`, on any processor."""

LEAST_WIDTH = 450
"""Pixels of the width of a picture below which vszip is not used, whichever is faster: what it
makes of the left and right border is up to 4.7 points away from the reference package there. A look
by Pillow takes up to 16 ms more."""

__all__ = ["CHANNELS", "Method", "Reference", "choose", "fastest_working", "method", "reference"]


class Method(StrEnum):
    """The program that computes it."""

    VSZIP = "vszip"
    PILLOW = "pillow"


class Reference(Protocol):
    """A picture that others are held against."""

    def score(self, image: Picture) -> float:
        """SSIMULACRA2 of another picture of the same size: 100 at most."""


_chosen: list[Method] = []


def choose(method: Method) -> None:
    """Have this process use a method from now on."""
    _chosen[:] = [method]


def method() -> Method:
    """The method of this process: what was chosen, or else the fastest that is installed."""
    if not _chosen:
        choose(Method.VSZIP if by_vszip.is_installed() else Method.PILLOW)
    return _chosen[0]


def reference(image: Picture, width: int | None = None, by: Method | None = None) -> Reference:
    """What other pictures are held against.

    Args:
        width: pixels of the picture's width, if the image is a sample of it.
        by: the method in place of that of this process.
    """
    width = width or image.width
    # Of a smaller one the scales of the two methods are not the same.
    is_small = min(image.width, image.height) < WHOLE_SIDE
    if (by or method()) is Method.PILLOW or is_small or width < LEAST_WIDTH:
        return by_pillow.Reference(image)
    return by_vszip.Reference(image, width)


def fastest_working() -> Method:
    """The fastest method that works here, which may end this process where it does not.

    Loads VapourSynth, 15 MB, if it is there.
    """
    if not by_vszip.is_installed():
        return Method.PILLOW
    ramp = (pyvips.Image.xyz(256, 256) * [1, 2]).cast("uchar")
    original = ramp.bandjoin(128).copy_memory()
    other = (original // 8 * 8).cast("uchar").copy_memory()
    score = by_vszip.Reference(original).score(other)
    return Method.VSZIP if abs(score - EXPECTED) < TOLERANCE else Method.PILLOW

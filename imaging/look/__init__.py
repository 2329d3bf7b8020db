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


def reference(image: Picture, width: int | None = None) -> Reference:
    """What other pictures are held against.

    Args:
        width: pixels of the picture's width, if the image is a sample of it.
    """
    # Of a smaller one the scales of the two methods are not the same.
    if method() is Method.VSZIP and min(image.width, image.height) >= WHOLE_SIDE:
        return by_vszip.Reference(image, width or image.width)
    return by_pillow.Reference(image)


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

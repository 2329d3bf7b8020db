"""How much a picture looks like another, by SSIMULACRA2: 100 is the same, 90 cannot be told apart
side by side, 70 is high and 50 medium quality. By the reference package, which takes 1.7 s a
megapixel, or by the engine's own with vszip, which takes 0.03 s."""

from __future__ import annotations

import io
from enum import StrEnum
from typing import Protocol

import pyvips
from ssimulacra2 import compute_ssimulacra2

from bench.errors import BenchError
from imaging import look
from imaging.decode import decode
from imaging.limits import Limits
from imaging.look import by_vszip
from imaging.steps.colour import to_srgb

BACKGROUNDS = (0, 255)
"""What transparency is put on; the worse of the two looks counts."""


class By(StrEnum):
    """What a look is told by."""

    PACKAGE = "package"
    VSZIP = "vszip"


class Scorer(Protocol):
    """A picture that others are held against."""

    def score(self, data: bytes) -> float:
        """The look of the picture in the file `data`."""


def scorer(image: pyvips.Image, by: By) -> Scorer:
    """What files of an image are held against.

    Args:
        image: upright, sRGB, 8 bit, without alpha, in memory.

    Raises:
        BenchError: if vszip is asked for and not installed.
    """
    if by is By.PACKAGE:
        return Reference(image)
    if not by_vszip.is_installed():
        raise BenchError("vszip is not installed: it has wheels for Python 3.12 and newer")
    return _ByVszip(image)


class _ByVszip:
    def __init__(self, image: pyvips.Image) -> None:
        self._reference = look.reference(image, by=look.Method.VSZIP)

    def score(self, data: bytes) -> float:
        return self._reference.score(pixels(data))


def pixels(data: bytes) -> pyvips.Image:
    """Those of a file: sRGB of 8 bit, in memory."""
    image = to_srgb(decode(data, Limits()).image)
    return image.colourspace("srgb").cast("uchar").copy_memory()


class Reference:
    """A picture that others are held against, by the reference package."""

    def __init__(self, image: pyvips.Image) -> None:
        """
        Args:
            image: upright, sRGB or grey, 8 bit.
        """
        backgrounds = BACKGROUNDS if image.hasalpha() else BACKGROUNDS[:1]
        self._flat = {shade: _png(image, shade) for shade in backgrounds}

    def score(self, data: bytes) -> float:
        """The look of the picture in the file `data`."""
        image = to_srgb(decode(data, Limits()).image)
        return min(
            float(compute_ssimulacra2(io.BytesIO(flat), io.BytesIO(_png(image, shade))))
            for shade, flat in self._flat.items()
        )


def _png(image: pyvips.Image, shade: int) -> bytes:
    image = image.colourspace("srgb").cast("uchar")
    if image.hasalpha():
        image = image.flatten(background=[shade])
    return bytes(image.pngsave_buffer(compression=0, keep="none"))

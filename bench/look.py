"""How much a picture looks like another, by SSIMULACRA2: 100 is the same, 90 cannot be told apart
side by side, 70 is high and 50 medium quality."""

from __future__ import annotations

import io

import pyvips
from ssimulacra2 import compute_ssimulacra2

from imaging.decode import decode
from imaging.limits import Limits
from imaging.steps.colour import to_srgb

BACKGROUNDS = (0, 255)
"""What transparency is put on; the worse of the two looks counts."""


class Reference:
    """A picture that others are held against."""

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

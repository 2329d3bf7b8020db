"""The channels of SSIMULACRA2, X, Y and B, of red, green and blue, in the operations of Pillow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from PIL import Image

from imaging.look.computed import of
from imaging.look.scale import CHANNELS

_X, _Y, _B = range(CHANNELS)

_L = (0.30, 1 - 0.078 - 0.30, 0.078)
_M = (0.23, 1 - 0.078 - 0.23, 0.078)
_S = (
    0.24342268924547819,
    0.20476744424496821,
    1 - 0.24342268924547819 - 0.20476744424496821,
)
_BIAS = 0.0037930732552754493
"""What the eye's cones absorb of red, green and blue light (libjxl, opsin_params.h)."""

_ROOT = _BIAS ** (1 / 3)
_MEAN = tuple((long + medium) / 2 for long, medium in zip(_L, _M, strict=True))
"""Light is kept multiplied by these: its sum is the mean of the cones L and M."""

_APART = tuple((one - mean) / mean for one, mean in zip(_L, _MEAN, strict=True))
_SHORT = tuple(short / mean for short, mean in zip(_S, _MEAN, strict=True))


def planes_of(light: Sequence[Image.Image], channels: Sequence[int]) -> list[Image.Image]:
    """X, Y and B, or those of them that are asked for, made positive as in the reference."""
    r, g, b = light
    mean = of(lambda i: i["r"] + i["g"] + i["b"], r=r, g=g, b=b)
    root = of(lambda i: i["m"] ** (1 / 3), m=mean)
    if channels == [_Y]:
        # The root of the mean is larger than the mean of the roots by a five-hundredth at most, in
        # both pictures.
        return [of(lambda i: i["c"] + (0.01 - _ROOT), c=root)]
    # The cube roots of L and M, whose distance from the mean is a seventh of it at most, by that of
    # the mean and a series. Blue counts alike in both.
    apart = of(lambda i: (i["r"] * _APART[0] + i["g"] * _APART[1]) / i["m"], r=r, g=g, m=mean)
    y = of(lambda i: i["c"] * (1 - i["d"] * i["d"] * (1 / 9)), c=root, d=apart)
    planes = {_Y: of(lambda i: i["y"] + (0.01 - _ROOT), y=y)}
    if _X in channels:
        planes[_X] = of(
            lambda i: i["c"] * i["d"] * (i["d"] * i["d"] * (70 / 81) + 14 / 3) + 0.42,
            c=root,
            d=apart,
        )
    if _B in channels:
        planes[_B] = of(
            lambda i: (
                (i["r"] * _SHORT[0] + i["g"] * _SHORT[1] + i["b"] * _SHORT[2]) ** (1 / 3)
                - i["y"]
                + 0.55
            ),
            r=r,
            g=g,
            b=b,
            y=y,
        )
    return [planes[channel] for channel in channels]


@cache
def tables() -> list[list[float]]:
    """Linear light of each value of sRGB (IEC 61966-2-1) and the bias, by band times `_MEAN`."""
    shares = [value / 255 for value in range(256)]
    light = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return [[share * (value + _BIAS) for value in light] for share in _MEAN]

"""SSIMULACRA2 in the operations of libvips: 25 times slower than by vszip, and everywhere."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from functools import cache

import pyvips

from imaging.look.scale import CHANNELS, MAPS, SCALES, SMALLEST, Parts, score_of

_M00, _M02, _M10, _M12, _M20, _M21 = (
    *(0.30, 0.078, 0.23, 0.078),
    *(0.24342268924547819, 0.20476744424496821),
)
_MIXED = [
    [_M00, 1 - _M02 - _M00, _M02],
    [_M10, 1 - _M12 - _M10, _M12],
    [_M20, _M21, 1 - _M20 - _M21],
]
_BIAS = 0.0037930732552754493
"""What the eye's cones absorb of linear light (libjxl, opsin_params.h)."""

_ROOT = _BIAS ** (1 / 3)
_XYB = [[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]]
_XYB_OFFSET = [0.42, 0.01 - _ROOT, 0.55]
"""X, Y and B from the cube roots, made positive (the reference's MakePositiveXYB). That the root of
the bias is taken off each of them is in the offsets."""

_C2 = 0.0009
_SIGMA, _RADIUS = 1.5, 5
"""Pixels of the blur."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """What is needed of the original at one scale."""

    xyb: pyvips.Image
    mean: pyvips.Image
    variance: pyvips.Image
    """With `_C2`."""
    edges: pyvips.Image


class Reference:
    """A picture that others are held against."""

    def __init__(self, image: pyvips.Image) -> None:
        """
        Args:
            image: red, green and blue of 8 bit.
        """
        self._scales = [_scale(xyb) for xyb in _pyramid(image)]

    def score(self, image: pyvips.Image) -> float:
        """SSIMULACRA2 of another picture of the same size, 100 at most."""
        pairs = zip(self._scales, _pyramid(image), strict=True)
        return score_of([_compared(scale, xyb) for scale, xyb in pairs])


def _pyramid(image: pyvips.Image) -> list[pyvips.Image]:
    """X, Y and B at each scale, in memory."""
    linear = image.maplut(_light())
    scales: list[pyvips.Image] = []
    while len(scales) < SCALES and min(linear.width, linear.height) >= SMALLEST:
        mixed = linear.recomb(pyvips.Image.new_from_array(_MIXED)) + _BIAS
        roots = mixed ** (1 / 3)
        xyb = roots.recomb(pyvips.Image.new_from_array(_XYB)) + _XYB_OFFSET
        scales.append(xyb.cast("float").copy_memory())
        linear = linear.shrink(2, 2, ceil=True).copy_memory()
    return scales


def _scale(xyb: pyvips.Image) -> _Scale:
    mean, square = _split(_blurred(xyb.bandjoin(xyb * xyb)))
    edges = (xyb - mean).abs() + 1
    return _Scale(
        xyb,
        mean,
        (square - mean * mean + _C2).copy_memory(),
        edges.copy_memory(),
    )


def _compared(original: _Scale, xyb: pyvips.Image) -> Parts:
    """How unlike one scale is."""
    mean, square, product = _split(_blurred(xyb.bandjoin([xyb * xyb, original.xyb * xyb])))
    apart = original.mean - mean
    structure = (product - original.mean * mean) * 2 + _C2
    variance = original.variance + (square - mean * mean)
    unlike = (apart * apart * -1 + 1) * structure / variance * -1 + 1
    edges = ((xyb - mean).abs() + 1) / original.edges - 1
    # Edges that were added are above 0, and lost ones below.
    maps = unlike.bandjoin([edges, edges * -1]).clamp(min=0, max=math.inf)
    # A row for all bands together, and one for each; the sum and that of the squares are third.
    stats = maps.bandjoin(maps * maps).stats()
    numbers = struct.unpack(f"{stats.width * stats.height}d", stats.write_to_memory())
    rows = [numbers[at : at + stats.width] for at in range(stats.width, len(numbers), stats.width)]
    pixels = maps.width * maps.height
    means = [row[2] / pixels for row in rows[: maps.bands]]
    peaks = [(row[3] / pixels) ** 0.25 for row in rows[maps.bands :]]
    return [
        [[norm[map * CHANNELS + channel] for map in range(MAPS)] for norm in (means, peaks)]
        for channel in range(CHANNELS)
    ]


def _blurred(image: pyvips.Image) -> pyvips.Image:
    """By a Gaussian; black goes on to the left and right, and the picture itself above and below,
    as in the reference package."""
    width, height = image.width, image.height
    wide = image.embed(_RADIUS, 0, width + 2 * _RADIUS, height)
    whole = wide.embed(0, _RADIUS, wide.width, height + 2 * _RADIUS, extend="mirror")
    blurred = whole.copy_memory().convsep(_gaussian(), precision="float")
    return blurred.crop(_RADIUS, _RADIUS, width, height).copy_memory()


def _split(image: pyvips.Image) -> list[pyvips.Image]:
    return [image.extract_band(at, n=CHANNELS) for at in range(0, image.bands, CHANNELS)]


@cache
def _gaussian() -> pyvips.Image:
    distances = range(-_RADIUS, _RADIUS + 1)
    weights = [math.exp(-0.5 * (distance / _SIGMA) ** 2) for distance in distances]
    return pyvips.Image.new_from_array([weights], scale=sum(weights))


@cache
def _light() -> pyvips.Image:
    """Linear light of each value of sRGB (IEC 61966-2-1)."""
    shares = [value / 255 for value in range(256)]
    light = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return pyvips.Image.new_from_memory(struct.pack("256f", *light), 256, 1, 1, "float")

"""SSIMULACRA2 in the operations of Pillow: 4 times slower than by vszip, and everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from PIL import Image
from PIL.ImageMath import lambda_eval

from imaging.look.picture import Picture, as_pillow
from imaging.look.scale import CHANNELS, MAPS, SCALES, SMALLEST, Parts, counted, score_of

_X, _Y, _B = range(CHANNELS)
_UNLIKE, _ADDED, _LOST = range(MAPS)

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

_C2 = 0.0009
_SIGMA, _RADIUS = 1.5, 5
"""Pixels of the blur."""

_FEW_PIXELS = 65_536
"""From so many on every second row and column of a scale is compared. Beside all of them, on 144
encodings that score 45 to 96 of pictures of 0.26 megapixels: a standard deviation of 0.04, and 0.15
at most."""


class _Sheet:
    """The planes of one scale side by side. Black goes on to the left and right of each, and the
    picture itself above and below, as in the reference package."""

    def __init__(self, planes: Sequence[Image.Image]) -> None:
        self._width, self._height = width, height = planes[0].size
        self._step = 1 if width * height < _FEW_PIXELS else 2
        pitch = width + _RADIUS
        image = Image.new("F", (_RADIUS + len(planes) * pitch, height + 2 * _RADIUS))
        for at, plane in enumerate(planes):
            image.paste(plane, (_RADIUS + at * pitch, _RADIUS))
        for inside, outside in ((_RADIUS, 0), (height, height + _RADIUS)):
            rows = image.crop((0, inside, image.width, inside + _RADIUS))
            image.paste(rows.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, outside))
        self.image = image

    def blurred(self, image: Image.Image) -> Image.Image:
        """An image of the size of the sheet's, by a Gaussian; the pixels that are compared."""
        return _blurred(_blurred(image, 1, self._step), 0, self._step)

    def seen(self, blurred: Image.Image) -> Image.Image:
        """The pixels that are compared, as `blurred` has them, of the sheet itself."""
        steps, first = (self._step, self._step), (_RADIUS, _RADIUS)
        return _picked(self.image, blurred.size, steps, first)

    def plane(self, compared: Image.Image, number: int) -> Image.Image:
        """The part of one plane."""
        left = number * (self._width + _RADIUS)
        right = left + self._width - 1
        left, right = -(-left // self._step), right // self._step + 1
        return compared.crop((left, 0, right, compared.height))


class _Original:
    """What is needed of the original at one scale."""

    def __init__(self, sheet: _Sheet, maps: Sequence[tuple[int, int]]) -> None:
        """
        Args:
            maps: channel and map, of each that counts.
        """
        x = self._sheet = sheet.image
        mean = self._mean = sheet.blurred(x)
        square = sheet.blurred(_of(lambda i: i["x"] * i["x"], x=x))
        self._variance = _of(lambda i: i["s"] - i["m"] * i["m"] + _C2, s=square, m=mean)
        seen = sheet.seen(mean)
        self._edges = _of(lambda i: 1 / (abs(i["x"] - i["m"]) + 1), x=seen, m=mean)
        self._maps = maps

    def compared(self, sheet: _Sheet) -> Parts:
        """How unlike the same planes of another picture are."""
        x = sheet.image
        mean = sheet.blurred(x)
        unlike = _of(
            lambda i: (
                (1 - (i["n"] - i["m"]) * (i["n"] - i["m"]))
                * ((i["p"] - i["n"] * i["m"]) * 2 + _C2)
                / (i["v"] + i["s"] - i["m"] * i["m"])
                * -1
                + 1
            ),
            m=mean,
            n=self._mean,
            p=sheet.blurred(_of(lambda i: i["x"] * i["y"], x=x, y=self._sheet)),
            s=sheet.blurred(_of(lambda i: i["x"] * i["x"], x=x)),
            v=self._variance,
        )
        edges = _of(
            lambda i: (abs(i["x"] - i["m"]) + 1) * i["e"] - 1,
            x=sheet.seen(mean),
            m=mean,
            e=self._edges,
        )
        parts = _nothing()
        channels = sorted({channel for channel, _ in self._maps})
        for channel, map in self._maps:
            whole = unlike if map == _UNLIKE else edges
            plane = sheet.plane(whole, channels.index(channel))
            # Edges that were added are above 0, and lost ones below.
            sign = -1 if map == _LOST else 1
            part = _of(lambda i, sign=sign: i["max"](i["x"] * sign, 0.0), x=plane)
            square = _of(lambda i: i["x"] * i["x"], x=part)
            fourth = _of(lambda i: i["x"] * i["x"], x=square)
            parts[channel][0][map], parts[channel][1][map] = _mean(part), _mean(fourth) ** 0.25
        return parts


class Reference:
    """A picture that others are held against."""

    def __init__(self, image: Picture) -> None:
        self._scales = counted(_scales(image.width, image.height))
        self._originals = [
            _Original(sheet, maps) if sheet else None
            for sheet, maps in zip(self._sheets(image), self._scales, strict=True)
        ]

    def score(self, image: Picture) -> float:
        """SSIMULACRA2 of another picture of the same size, 100 at most."""
        pairs = zip(self._originals, self._sheets(image), strict=True)
        return score_of(
            [
                original.compared(sheet) if original and sheet else _nothing()
                for original, sheet in pairs
            ]
        )

    def _sheets(self, image: Picture) -> Iterator[_Sheet | None]:
        """Those of each scale; None where nothing counts."""
        bands = zip(as_pillow(image).split(), _tables(), strict=True)
        light = [band.point(table, "F") for band, table in bands]
        for scale, maps in enumerate(self._scales):
            channels = sorted({channel for channel, _ in maps})
            yield _Sheet(_planes(light, channels)) if channels else None
            if any(self._scales[scale + 1 :]):
                light = [band.reduce(2) for band in light]


def _scales(width: int, height: int) -> int:
    """The number of scales of a picture."""
    scales = 0
    while scales < SCALES and min(width, height) >= SMALLEST:
        scales, width, height = scales + 1, -(-width // 2), -(-height // 2)
    return scales


def _planes(light: Sequence[Image.Image], channels: Sequence[int]) -> list[Image.Image]:
    """X, Y and B, or those of them that are asked for, made positive as in the reference."""
    r, g, b = light
    mean = _of(lambda i: i["r"] + i["g"] + i["b"], r=r, g=g, b=b)
    root = _of(lambda i: i["m"] ** (1 / 3), m=mean)
    if channels == [_Y]:
        # The root of the mean is larger than the mean of the roots by a five-hundredth at most, in
        # both pictures.
        return [_of(lambda i: i["c"] + (0.01 - _ROOT), c=root)]
    # The cube roots of L and M, whose distance from the mean is a seventh of it at most, by that of
    # the mean and a series. Blue counts alike in both.
    apart = _of(lambda i: (i["r"] * _APART[0] + i["g"] * _APART[1]) / i["m"], r=r, g=g, m=mean)
    y = _of(lambda i: i["c"] * (1 - i["d"] * i["d"] * (1 / 9)), c=root, d=apart)
    planes = {_Y: _of(lambda i: i["y"] + (0.01 - _ROOT), y=y)}
    if _X in channels:
        planes[_X] = _of(
            lambda i: i["c"] * i["d"] * (i["d"] * i["d"] * (70 / 81) + 14 / 3) + 0.42,
            c=root,
            d=apart,
        )
    if _B in channels:
        planes[_B] = _of(
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


def _blurred(image: Image.Image, axis: int, step: int) -> Image.Image:
    """Along one axis, without `_RADIUS` pixels at its ends; every so many of the others."""
    count = list(image.size)
    count[axis] = (count[axis] - 2 * _RADIUS - 1) // step + 1
    phases = [image]
    if step > 1:
        size, steps = list(image.size), (step, 1) if axis == 0 else (1, step)
        size[axis] = -(-size[axis] // step)
        firsts: Iterable[Any] = ((at, 0) if axis == 0 else (0, at) for at in range(step))
        phases = [_picked(image, size, steps, first) for first in firsts]
    moved = {}
    for at in range(2 * _RADIUS + 1):
        left, top = (at // step, 0) if axis == 0 else (0, at // step)
        moved[str(at)] = phases[at % step].crop((left, top, left + count[0], top + count[1]))
    return _of(_weighed, **moved)


def _weighed(moved: Any) -> Any:
    """The sum of 0 to 2 × `_RADIUS`, by the weights of a Gaussian."""
    centre, *sides = _gaussian()
    total = moved[str(_RADIUS)] * centre
    for distance, weight in enumerate(sides, 1):
        pair = moved[str(_RADIUS - distance)] + moved[str(_RADIUS + distance)]
        total += pair * weight
    return total


def _picked(
    image: Image.Image, size: Sequence[int], steps: tuple[int, int], first: tuple[int, int]
) -> Image.Image:
    """Pixels at so many steps from each other."""
    across, down = (at + 0.5 - step / 2 for at, step in zip(first, steps, strict=True))
    matrix = (steps[0], 0, across, 0, steps[1], down)
    return image.transform((size[0], size[1]), Image.Transform.AFFINE, matrix)


def _of(expression: Any, **images: Image.Image) -> Image.Image:
    """What Pillow computes of images, each by its name."""
    made: Image.Image = lambda_eval(expression, **images)
    return made


def _mean(image: Image.Image) -> float:
    mean: Any = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return float(mean)


def _nothing() -> list[list[list[float]]]:
    """The parts of one scale, before anything is unlike."""
    return [[[0.0] * MAPS for _ in range(2)] for _ in range(CHANNELS)]


@cache
def _gaussian() -> list[float]:
    """The weights of a pixel and of those at each distance, on one side."""
    weights = [math.exp(-0.5 * (at / _SIGMA) ** 2) for at in range(_RADIUS + 1)]
    total = 2 * sum(weights) - weights[0]
    return [weight / total for weight in weights]


@cache
def _tables() -> list[list[float]]:
    """Linear light of each value of sRGB (IEC 61966-2-1) and the bias, by band times `_MEAN`."""
    shares = [value / 255 for value in range(256)]
    light = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return [[share * (value + _BIAS) for value in light] for share in _MEAN]

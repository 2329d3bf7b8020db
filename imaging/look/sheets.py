"""The pixels of a scale that SSIMULACRA2 compares, and the means around each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeAlias

from PIL import Image

from imaging.look.computed import of

_SIGMA, _RADIUS = 1.5, 5
"""Pixels of the blur."""

LARGE, _DENSE = 32_768, 500_000
"""Pixels of a scale from which on a grid of it is compared, and up to which the grid has twice as
many rows."""

_STEP = 4.9
"""Pixels from one column of the grid to the next. Pillow's Hamming window of this reach stands for
the Gaussian: its standard deviation is 1.56 pixels."""


class Small:
    """The planes of a scale side by side, compared at each pixel."""

    def __init__(self, planes: Sequence[Image.Image]) -> None:
        self.image = _framed(planes)
        self._width, self._height = planes[0].size

    def blurred(self, *images: Image.Image) -> Sequence[Image.Image]:
        """Images of the size of this one's, by a Gaussian; the pixels that are compared."""
        # Below each other, as the time of a small image is that of its calls.
        width, height = self.image.size
        stack = Image.new("F", (width, height * len(images)), None)  # all of it is pasted over
        for at, image in enumerate(images):
            stack.paste(image, (0, at * height))
        stack = _blurred(_blurred(stack, 1), 0)
        tops = range(0, height * len(images), height)
        return [stack.crop((0, top, stack.width, top + self._height)) for top in tops]

    def seen(self) -> Image.Image:
        """The pixels that are compared, as `blurred` has them, of this image itself."""
        width, height = self.image.size
        return self.image.crop((_RADIUS, _RADIUS, width - _RADIUS, height - _RADIUS))

    def box(self, number: int) -> tuple[int, int, int, int]:
        """The place of a plane in what is compared: left, top, right and bottom."""
        left = number * (self._width + _RADIUS)
        return left, 0, left + self._width, self._height


class Large:
    """A plane of a large scale, compared at the points of a grid. It has the methods of `Small`."""

    def __init__(self, plane: Image.Image) -> None:
        self.image = _framed([plane])
        width, height = plane.size
        self._size = columns, rows = int(width / _STEP), int(height / _STEP)
        self._left = _RADIUS + (width - columns * _STEP) / 2
        top = _RADIUS + (height - rows * _STEP) / 2
        shifts = (-0.25, 0.25) if width * height <= _DENSE else (0,)
        self._tops = [top + shift * _STEP for shift in shifts]

    def blurred(self, *images: Image.Image) -> Sequence[Image.Image]:
        columns, _ = self._size
        window, right = Image.Resampling.HAMMING, self._left + columns * _STEP
        across = [
            image.resize((columns, image.height), window, (self._left, 0, right, image.height))
            for image in images
        ]
        return [self._rows(image, window, 0, columns) for image in across]

    def seen(self) -> Image.Image:
        columns, _ = self._size
        return self._rows(
            self.image, Image.Resampling.NEAREST, self._left, self._left + columns * _STEP
        )

    def box(self, number: int) -> tuple[int, int, int, int]:
        columns, rows = self._size
        return 0, 0, columns, rows * len(self._tops)

    def _rows(
        self, image: Image.Image, window: Image.Resampling, left: float, right: float
    ) -> Image.Image:
        """The points of the grid between two columns of an image."""
        columns, rows = self._size
        parts = [
            image.resize(self._size, window, (left, top, right, top + rows * _STEP))
            for top in self._tops
        ]
        joined = Image.new("F", (columns, rows * len(parts)), None)  # all of it is pasted over
        for at, part in enumerate(parts):
            joined.paste(part, (0, at * rows))
        return joined


Sheet: TypeAlias = Small | Large


def _framed(planes: Sequence[Image.Image]) -> Image.Image:
    """Planes of one size side by side. Black goes on to the left and right of each for `_RADIUS`
    pixels, and the picture itself above and below, as in the reference package."""
    width, height = planes[0].size
    pitch = width + _RADIUS
    framed = Image.new("F", (_RADIUS + len(planes) * pitch, height + 2 * _RADIUS))
    for at, plane in enumerate(planes):
        framed.paste(plane, (_RADIUS + at * pitch, _RADIUS))
    for inside, outside in ((_RADIUS, 0), (height, height + _RADIUS)):
        rows = framed.crop((0, inside, framed.width, inside + _RADIUS))
        framed.paste(rows.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, outside))
    return framed


def _blurred(image: Image.Image, axis: int) -> Image.Image:
    """By a Gaussian along one axis, without `_RADIUS` pixels at its ends."""
    size = list(image.size)
    size[axis] -= 2 * _RADIUS
    moved = {}
    for at in range(2 * _RADIUS + 1):
        left, top = (at, 0) if axis == 0 else (0, at)
        moved[str(at)] = image.crop((left, top, left + size[0], top + size[1]))
    return of(_weighed, **moved)


def _weighed(moved: Any) -> Any:
    """The sum of 0 to 2 × `_RADIUS`, by the weights of a Gaussian."""
    centre, *sides = _gaussian()
    total = moved[str(_RADIUS)] * centre
    for distance, weight in enumerate(sides, 1):
        pair = moved[str(_RADIUS - distance)] + moved[str(_RADIUS + distance)]
        total += pair * weight
    return total


@cache
def _gaussian() -> list[float]:
    """The weights of a pixel and of those at each distance, on one side."""
    weights = [math.exp(-0.5 * (at / _SIGMA) ** 2) for at in range(_RADIUS + 1)]
    total = 2 * sum(weights) - weights[0]
    return [weight / total for weight in weights]

"""SSIMULACRA2 in the operations of Pillow: 2.5 times slower than by vszip, and everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from PIL import Image

from imaging.look.computed import of
from imaging.look.picture import Picture, as_pillow
from imaging.look.scale import CHANNELS, MAPS, SCALES, SMALLEST, counted, score_of
from imaging.look.sheets import LARGE, Large, Sheet, Small
from imaging.look.xyb import planes_of, tables

_UNLIKE, _ADDED, _LOST = range(MAPS)

_C2 = 0.0009


class _Original:
    """What is needed of the original, of planes that are compared together."""

    def __init__(self, sheet: Sheet, maps: Sequence[tuple[int, int]]) -> None:
        """
        Args:
            maps: channel and map, of each that counts.
        """
        x = self._image = sheet.image
        mean, square = sheet.blurred(x, of(lambda i: i["x"] * i["x"], x=x))
        self._mean = mean
        self._variance = of(lambda i: i["s"] - i["m"] * i["m"] + _C2, s=square, m=mean)
        self._edges = of(lambda i: 1 / (abs(i["x"] - i["m"]) + 1), x=sheet.seen(), m=mean)
        self._maps = maps

    def compare(self, sheet: Sheet, parts: list[list[list[float]]]) -> None:
        """Put down in `parts` how unlike the same planes of another picture are."""
        channels = sorted({channel for channel, _ in self._maps})
        for map, whole in self._unlike(sheet):
            square = of(lambda i: i["x"] * i["x"], x=whole)
            fourth = of(lambda i: i["x"] * i["x"], x=square)
            for channel in channels:
                if (channel, map) in self._maps:
                    box = sheet.box(channels.index(channel))
                    means, roots = parts[channel]
                    means[map], roots[map] = _mean(whole, box), _mean(fourth, box) ** 0.25

    def _unlike(self, sheet: Sheet) -> Iterator[tuple[int, Image.Image]]:
        """Each map that counts, of all planes: the more unlike, the further above 0."""
        x = sheet.image
        mean, square, product = sheet.blurred(
            x,
            of(lambda i: i["x"] * i["x"], x=x),
            of(lambda i: i["x"] * i["y"], x=x, y=self._image),
        )
        maps = {map for _, map in self._maps}
        if _UNLIKE in maps:
            yield (
                _UNLIKE,
                of(
                    lambda i: i["max"](
                        1
                        - (1 - (i["n"] - i["m"]) * (i["n"] - i["m"]))
                        * ((i["p"] - i["n"] * i["m"]) * 2 + _C2)
                        / (i["v"] + i["s"] - i["m"] * i["m"]),
                        0.0,
                    ),
                    m=mean,
                    n=self._mean,
                    p=product,
                    s=square,
                    v=self._variance,
                ),
            )
        if not maps - {_UNLIKE}:
            return
        edges = of(
            lambda i: (abs(i["x"] - i["m"]) + 1) * i["e"] - 1,
            x=sheet.seen(),
            m=mean,
            e=self._edges,
        )
        # Edges that were added are above 0, and lost ones below.
        if _ADDED in maps:
            yield _ADDED, of(lambda i: i["max"](i["x"], 0.0), x=edges)
        if _LOST in maps:
            yield _LOST, of(lambda i: i["max"](-i["x"], 0.0), x=edges)


class Reference:
    """A picture that others are held against."""

    def __init__(self, image: Picture) -> None:
        self._scales = counted(_scales(image.width, image.height))
        self._originals = [_Original(sheet, maps) for _, sheet, maps in self._sheets(image)]

    def score(self, image: Picture) -> float:
        """SSIMULACRA2 of another picture of the same size, 100 at most."""
        parts = [_nothing() for _ in self._scales]
        sheets = self._sheets(image)
        for original, (scale, sheet, _) in zip(self._originals, sheets, strict=True):
            original.compare(sheet, parts[scale])
        return score_of(parts)

    def _sheets(self, image: Picture) -> Iterator[tuple[int, Sheet, Sequence[tuple[int, int]]]]:
        """The scale of each, and channel and map of what counts in it."""
        bands = zip(as_pillow(image).split(), tables(), strict=True)
        light = [band.point(table, "F") for band, table in bands]
        for scale, maps in enumerate(self._scales):
            channels = sorted({channel for channel, _ in maps})
            planes = planes_of(light, channels) if channels else []
            if light[0].width * light[0].height >= LARGE:
                for channel, plane in zip(channels, planes, strict=True):
                    yield scale, Large(plane), [each for each in maps if each[0] == channel]
            elif planes:
                yield scale, Small(planes), maps
            if any(self._scales[scale + 1 :]):
                light = [band.reduce(2) for band in light]


def _scales(width: int, height: int) -> int:
    """The number of scales of a picture."""
    scales = 0
    while scales < SCALES and min(width, height) >= SMALLEST:
        scales, width, height = scales + 1, -(-width // 2), -(-height // 2)
    return scales


def _mean(image: Image.Image, box: tuple[int, int, int, int]) -> float:
    """That of the pixels in a box: left, top, right and bottom."""
    left, top, right, bottom = box
    mean: Any = image.reduce((right - left, bottom - top), box).getpixel((0, 0))
    return float(mean)


def _nothing() -> list[list[list[float]]]:
    """The parts of one scale, before anything is unlike."""
    return [[[0.0] * MAPS for _ in range(2)] for _ in range(CHANNELS)]

"""A GIF that is drawn does not grow as WebP: lossless frames are fewer bytes than lossy ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from tests.imaging.samples import frame_count, target
from tests.pictures import encoded, opened

Frames = Iterator[Image.Image]

SIZE = (200, 120)
COUNT = 4


def _drawing() -> Frames:
    for number in range(COUNT):
        image = Image.new("P", SIZE, 0)
        image.putpalette([255, 255, 255, 20, 20, 20, 200, 40, 40, 40, 90, 200])
        ink = ImageDraw.Draw(image)
        ink.text((10, 10), "so many pictures", 1)
        ink.ellipse((number * 20, 40, number * 20 + 40, 80), 2)
        ink.line((0, 110, 200, 110 - number * 8), 3, 3)
        yield image


def _gradient(colours: int, dither: Image.Dither) -> Frames:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    for number in range(COUNT):
        values = [x * 255 // SIZE[0], (y * 255 // SIZE[1] + number * 16) % 256, x * 0 + 90]
        image = Image.fromarray(np.stack(values, 2).astype(np.uint8))
        yield image.quantize(colours, dither=dither)


def _smooth_gradient() -> Frames:
    return _gradient(128, Image.Dither.FLOYDSTEINBERG)


def _gradient_in_steps() -> Frames:
    return _gradient(64, Image.Dither.NONE)


def _pixel_art() -> Frames:
    source = np.random.default_rng(3)
    palette = source.integers(0, 256, (6, 3), np.uint8)
    cells = source.integers(0, 6, (15, 25))
    for number in range(COUNT):
        pixels = palette[np.roll(cells, number, 1)].repeat(8, 0).repeat(8, 1)
        yield Image.fromarray(pixels).quantize(6, dither=Image.Dither.NONE)


def _spinner() -> Frames:
    for number in range(COUNT):
        image = Image.new("RGB", (256, 256), "white")
        box = (30, 30, 226, 226)
        ImageDraw.Draw(image).arc(box, number * 60, number * 60 + 90, (40, 100, 220), 28)
        yield image.resize((64, 64), Image.Resampling.LANCZOS).quantize(32)


def _log() -> Frames:
    for number in range(COUNT):
        image = Image.new("RGB", SIZE, (246, 247, 249))
        ink = ImageDraw.Draw(image)
        ink.rectangle((0, 0, SIZE[0], 20), fill=(45, 55, 72))
        for line in range(5):
            text = f"line {line + number} took {(line + number) * 7919 % 1000} ms"
            ink.text((8, 26 + line * 18), text, fill=(30, 30, 30))
        yield image.quantize(64, dither=Image.Dither.NONE)


def _noise() -> Frames:
    source = np.random.default_rng(1)
    for _ in range(COUNT):
        yield Image.fromarray(source.integers(0, 256, (90, 90), np.uint8)).quantize(16)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
@pytest.mark.parametrize(
    "draw",
    [_drawing, _smooth_gradient, _gradient_in_steps, _pixel_art, _spinner, _log, _noise],
)
def test_a_drawn_gif_does_not_grow_as_webp(draw: Callable[[], Frames], effort: Effort) -> None:
    frames = list(draw())
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80)
    result = convert(data, target(Format.WEBP, 0, effort))
    assert len(result) < len(data)
    assert frame_count(opened(result)) == frame_count(opened(data)) == COUNT

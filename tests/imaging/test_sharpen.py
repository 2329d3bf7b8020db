"""`sharpen`: edges stand out more, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.formats import Format
from tests.imaging.animations import animation, moving_frames
from tests.imaging.samples import distance, frame_count, is_close, photo, pixels, target
from tests.pictures import encoded, opened


def _made(image: Image.Image, format: Format = Format.PNG, **options: Any) -> Image.Image:
    exact: dict[str, Any] = {"lossless": True} if format.can_be_lossless else {}
    return opened(convert(encoded(image, "PNG"), target(format, **exact, **options)))


def _edges(image: Image.Image) -> float:
    """How much neighbouring pixels differ."""
    return float(np.abs(np.diff(pixels(image), axis=1)).mean())


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_edges_stand_out_more_the_wider_the_blur(format: Format, mode: str) -> None:
    image = photo(96, 64).convert(mode)
    plain, some, more = (
        _edges(_made(image, format, **o)) for o in ({}, {"sharpen": 0.7}, {"sharpen": 2})
    )
    assert plain < some < more
    assert _made(image, format, sharpen=2).size == image.size


def test_flat_parts_and_mean_colours_stay() -> None:
    flat = Image.new("RGB", (60, 40), (120, 60, 30))
    assert distance(_made(flat, sharpen=3), flat) <= 1
    image = photo(160, 120)
    means = pixels(image).mean(axis=(0, 1)) - pixels(_made(image, sharpen=1)).mean(axis=(0, 1))
    assert np.abs(means).max() < 1.5


def test_it_comes_after_the_resize() -> None:
    image = photo(160, 120)
    small = _made(image, width=80)
    assert distance(_made(image, width=80, sharpen=1.5), _made(small, sharpen=1.5)) == 0
    assert _edges(_made(image, width=80, sharpen=1.5)) > 1.1 * _edges(small)


@pytest.mark.parametrize("hidden", [(0, 0, 0), (255, 255, 255)])
def test_a_colour_that_is_not_seen_does_not_shine_through(hidden: tuple[int, int, int]) -> None:
    """An object that was cut out has no halo of what is under the clear part."""
    image = Image.new("RGBA", (80, 60), (*hidden, 0))
    ImageDraw.Draw(image).rectangle((20, 15, 59, 44), fill=(180, 90, 60, 255))
    result = _made(image, sharpen=2)
    for at in ((20, 15), (40, 15), (59, 30), (21, 44)):
        assert is_close(result, at, (180, 90, 60, 255), by=2)
    assert np.array_equal(pixels(result, "RGBA")[..., 3], pixels(image, "RGBA")[..., 3])


def test_a_frame_does_not_reach_into_its_neighbours() -> None:
    flat = [Image.new("RGB", (40, 30), (v, v, v)) for v in (0, 250, 0, 250)]
    result = opened(
        convert(animation("WEBP", frames=flat), target(Format.WEBP, lossless=True, sharpen=3))
    )
    for number, frame in enumerate(flat):
        result.seek(number)
        assert distance(result, frame) <= 1


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_every_frame_is_sharpened(kind: str) -> None:
    frames = [frame.resize((60, 40)).resize((240, 160)) for frame in moving_frames()]
    data = animation(kind, frames=frames)
    format = Format.PNG if kind == "PNG" else Format.WEBP
    plain = opened(convert(data, target(format, lossless=True)))
    sharp = opened(convert(data, target(format, lossless=True, sharpen=1.5)))
    assert frame_count(sharp) == frame_count(plain) == len(frames)
    for number in range(len(frames)):
        plain.seek(number)
        sharp.seek(number)
        assert _edges(sharp) > _edges(plain)

"""`trim`: without the border around what is shown, before anything is resized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.formats import Format
from tests.imaging.animations import animation
from tests.imaging.samples import (
    RED,
    assert_corners,
    corners,
    distance,
    frame_count,
    oriented,
    photo,
    stored,
    target,
)
from tests.pictures import encoded, opened

PAPER = (250, 250, 248)


def _framed(inner: Image.Image, border: tuple[int, int, int, int], colour: Any) -> Image.Image:
    """With so much around it: left, top, right, bottom."""
    left, top, right, bottom = border
    size = (inner.width + left + right, inner.height + top + bottom)
    image = Image.new(inner.mode, size, colour)
    image.paste(inner, (left, top))
    return image


def _trimmed(
    image: Image.Image, kind: str = "PNG", amount: int = 10, **options: Any
) -> Image.Image:
    asked = target(Format.PNG, lossless=True, trim=amount, **options)
    return opened(convert(encoded(image, kind), asked))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "JPEG2000"])
def test_the_border_goes_and_all_else_stays(kind: str) -> None:
    inner = photo(90, 60)
    inner.paste(RED, (0, 0, 90, 1))
    inner.paste(RED, (0, 59, 90, 60))
    result = _trimmed(_framed(inner, (20, 3, 0, 31), PAPER), kind)
    assert result.size == (90, 60)
    assert distance(result, inner) == 0


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_what_an_encoder_does_to_a_border_is_border(kind: str) -> None:
    result = _trimmed(_framed(corners(96, 64), (32, 16, 16, 48), PAPER), kind, amount=30)
    assert abs(result.width - 96) <= 4
    assert abs(result.height - 64) <= 4
    assert_corners(result)


def test_a_line_of_one_pixel_is_no_border() -> None:
    image = Image.new("L", (100, 80), 255)
    ImageDraw.Draw(image).line((30, 20, 70, 20), fill=0)
    assert _trimmed(image).size == (41, 1)
    image.putpixel((90, 70), 200)
    assert _trimmed(image).size == (61, 51)


@pytest.mark.parametrize(("amount", "size"), [(0, (70, 60)), (9, (70, 60)), (10, (20, 10))])
def test_the_amount_is_how_far_a_border_may_be_from_the_first_pixel(
    amount: int, size: tuple[int, int]
) -> None:
    image = Image.new("RGB", (100, 80), (90, 90, 90))
    image.putpixel((20, 10), (90, 90, 80))
    image.putpixel((89, 69), (90, 100, 90))
    image.paste(RED, (40, 30, 60, 40))
    assert _trimmed(image, amount=amount).size == size


def test_whatever_colour_clear_pixels_have_they_are_border() -> None:
    image = Image.new("RGBA", (120, 90), (0, 0, 0, 0))
    image.paste((255, 255, 255, 0), (60, 0, 120, 90))
    inner = photo(40, 30).convert("RGBA")
    image.paste(inner, (50, 20))
    result = _trimmed(image)
    assert result.size == (40, 30)
    assert distance(result, inner, "RGBA") == 0
    assert _trimmed(image.convert("LA")).size == (40, 30)


def test_a_hole_in_an_opaque_border_is_no_border() -> None:
    image = Image.new("RGBA", (60, 50), (200, 200, 200, 255))
    image.paste((200, 200, 200, 0), (10, 10, 30, 20))
    assert _trimmed(image).size == (20, 10)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (50, 40), (9, 9, 9)),
        Image.new("RGBA", (50, 40), (9, 9, 9, 0)),
        Image.new("L", (1, 1), 77),
    ],
)
def test_a_picture_of_one_colour_stays_as_it_is(image: Image.Image) -> None:
    assert _trimmed(image).size == image.size


def test_nothing_is_cut_off_a_picture_without_a_border() -> None:
    image = photo(80, 60)
    image.putpixel((0, 0), (1, 2, 3))
    result = _trimmed(image)
    assert distance(result, image) == 0


def test_a_size_is_that_of_what_is_left() -> None:
    image = _framed(corners(200, 100), (300, 0, 0, 400), PAPER)
    result = _trimmed(image, "JPEG", amount=40, width=100)
    assert result.width == 100
    assert 48 <= result.height <= 52
    assert_corners(result)
    cut = _trimmed(image, amount=40, width=60, height=60, fit="cover")
    assert cut.size == (60, 60)


def test_a_picture_that_is_stored_turned_is_trimmed_as_it_is_shown() -> None:
    image = _framed(corners(64, 48), (40, 8, 8, 24), PAPER)
    data = encoded(stored(image, 6), "PNG", exif=oriented(6).tobytes())
    result = opened(convert(data, target(Format.PNG, lossless=True, trim=10)))
    assert result.size == (64, 48)
    assert_corners(result)


def test_what_is_left_may_be_of_one_colour() -> None:
    image = Image.new("RGB", (100, 80), PAPER)
    image.paste((0, 0, 0), (30, 20, 70, 60))
    for format in Format:
        result = opened(convert(encoded(image, "PNG"), target(format, trim=10)))
        assert result.size == (40, 40)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_places_of_all_frames_stay(kind: str) -> None:
    frames = []
    for left in (20, 40, 70):
        frame = Image.new("RGB", (120, 60), (255, 255, 255))
        frame.paste(RED, (left, 25, left + 10, 35))
        frames.append(frame)
    data = animation(kind, frames=[*frames, frames[0]])
    format = Format.PNG if kind == "PNG" else Format.WEBP
    result = opened(convert(data, target(format, lossless=True, trim=10)))
    assert result.size == (60, 10)
    assert frame_count(result) == 4
    shown = []
    for number in range(3):
        result.seek(number)
        values = np.asarray(result.convert("RGB"))
        shown.append(int(np.flatnonzero(values[5, :, 1] < 100)[0]))
    assert shown == [0, 20, 50]

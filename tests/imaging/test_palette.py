"""A PNG gets a palette where that looks the same, and stays true colour where it does not."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from tests.imaging.samples import distance, photo, pixels, target
from tests.pictures import encoded, opened, photograph

NOT_FAST = (Effort.BALANCED, Effort.SMALL)


def _every_colour() -> Image.Image:
    """All hues in all lightnesses, beside noise in every colour: more than 256 can show."""
    rng = np.random.default_rng(4)
    noise = rng.integers(0, 256, (160, 80, 3), dtype=np.uint8)
    hues = [[colorsys.hls_to_rgb(x / 160, y / 160, 1) for x in range(160)] for y in range(160)]
    return Image.fromarray(np.hstack([(np.array(hues) * 255).astype(np.uint8), noise]))


def _few(count: int, mode: str = "RGB") -> Image.Image:
    """A drawing of so many colours with hard edges."""
    rng = np.random.default_rng(count)
    colours = rng.integers(0, 256, (count, len(mode)), dtype=np.uint8)
    blocks = rng.integers(0, count, (30, 40))
    blocks.flat[:count] = np.arange(count)
    return Image.fromarray(colours[blocks.repeat(4, 0).repeat(4, 1)].squeeze(), mode)


@pytest.mark.parametrize("effort", list(Effort))
def test_what_a_palette_cannot_carry_stays_true_colour_and_lossless(effort: Effort) -> None:
    image = _every_colour()
    result = opened(convert(encoded(image, "TIFF"), target(Format.PNG, 100, effort)))
    assert result.mode == "RGB"
    assert distance(result, image) == 0


@pytest.mark.parametrize("effort", list(Effort))
def test_a_photograph_gets_a_palette(effort: Effort) -> None:
    result = opened(convert(encoded(photo(), "TIFF"), target(Format.PNG, 0, effort)))
    assert result.mode == "P"
    assert distance(result, photo()) < 8


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("count", [1, 2, 3, 16, 32])
@pytest.mark.parametrize("quality", [0, 30, 100])
def test_a_picture_of_few_colours_keeps_each_pixel(quality: int, count: int, mode: str) -> None:
    image = _few(count, mode)
    for effort in Effort:
        result = opened(convert(encoded(image, "TIFF"), target(Format.PNG, quality, effort)))
        shown, wanted = pixels(result, "RGBA"), pixels(image, "RGBA")
        # What is quite clear has no colour to keep.
        assert (shown[..., 3] == wanted[..., 3]).all()
        assert (shown == wanted)[wanted[..., 3] > 0].all()


@pytest.mark.parametrize("count", [64, 256])
def test_a_picture_of_more_colours_is_not_dithered_into_noise(count: int) -> None:
    image = _few(count)
    result = opened(convert(encoded(image, "TIFF"), target(Format.PNG, 0, Effort.BALANCED)))
    shown = pixels(result).reshape(30, 4, 40, 4, 3)
    # Each block of four by four is still of one colour.
    assert (shown == shown[:, :1, :, :1]).all()
    assert distance(result, image) < 6


@pytest.mark.parametrize("effort", list(Effort))
def test_grey_stays_grey(effort: Effort) -> None:
    image = photo().convert("L")
    for quality, most in ((0, 3.0), (100, 2.0)):
        result = opened(convert(encoded(image, "TIFF"), target(Format.PNG, quality, effort)))
        assert np.ptp(pixels(result), axis=2).max() == 0
        assert distance(result, image) < most
    smooth = Image.linear_gradient("L")
    result = opened(convert(encoded(smooth, "TIFF"), target(Format.PNG, 0, effort)))
    assert distance(result, smooth) < 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "1", "P"])
@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP, Format.AVIF])
def test_lossless_keeps_every_pixel(format: Format, effort: Effort, mode: str) -> None:
    image = photo(61, 47).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: max(value, 1)))
    data = encoded(image.convert(mode), "PNG")
    result = opened(convert(data, target(format, 0, effort, lossless=True)))
    assert (pixels(result, "RGBA") == pixels(opened(data), "RGBA")).all()


def test_lossless_png_of_a_photograph_is_no_larger_than_it_was() -> None:
    data = photograph("coffee")
    result = convert(data, target(Format.PNG, 0, Effort.BALANCED, lossless=True))
    assert len(result) < len(data)
    assert distance(opened(result), opened(data)) == 0


def test_few_colours_are_few_bytes() -> None:
    data = encoded(_few(4), "PNG")
    for effort in NOT_FAST:
        assert len(convert(data, target(Format.PNG, 0, effort))) <= len(data)

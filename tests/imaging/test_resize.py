"""A picture in the size that is asked for, by its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from tests.imaging.samples import (
    BLUE,
    GREEN,
    GREY,
    RED,
    assert_corners,
    corners,
    distance,
    is_close,
    opacities,
    photo,
    pixel,
    target,
)
from tests.pictures import encoded, large, opened

CORNERS_FILE = encoded(corners(), "PNG")


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (60, None, (60, 40)),
        (None, 40, (60, 40)),
        (60, 60, (60, 40)),
        (90, 20, (30, 20)),
        (1, None, (1, 1)),
        (120, 80, (120, 80)),
        (119, None, (119, 79)),
        (500, None, (120, 80)),
        (None, 500, (120, 80)),
        (500, 500, (120, 80)),
        (500, 40, (60, 40)),
    ],
)
def test_inside_is_whole_and_never_enlarged(
    width: int | None, height: int | None, size: tuple[int, int]
) -> None:
    for format in Format:
        result = opened(convert(CORNERS_FILE, target(format, width=width, height=height)))
        assert result.size == size
    if min(size) > 8:
        assert_corners(
            opened(convert(CORNERS_FILE, target(Format.PNG, width=width, height=height)))
        )


@pytest.mark.parametrize("size", [(40, 40), (100, 20), (20, 100), (300, 300), (121, 25)])
@pytest.mark.parametrize("format", list(Format))
def test_cover_fills_both_and_cuts_at_the_centre(format: Format, size: tuple[int, int]) -> None:
    width, height = size
    # Of so few pixels lossy encoders spoil single ones at a lower quality.
    wanted = target(format, 95, width=width, height=height, fit="cover")
    result = opened(convert(CORNERS_FILE, wanted))
    assert result.size == size
    assert opacities(result) == (255, 255)
    assert_corners(result, by=20)  # the centre of the four is the centre of the picture


@pytest.mark.parametrize("at", [(20, 30), (260, 30)])
def test_attention_finds_what_is_bright_and_off_the_centre(at: tuple[int, int]) -> None:
    image = Image.new("RGB", (320, 80), (60, 60, 62))
    image.paste((255, 200, 40), (at[0], at[1], at[0] + 24, at[1] + 24))
    data = encoded(image, "PNG")
    options: dict[str, Any] = {"width": 80, "height": 80, "fit": "cover"}

    def bright(result: Image.Image) -> int:
        pixels = np.asarray(result.convert("RGB")).astype(int)
        return int(np.sum((pixels[..., 0] > 200) & (pixels[..., 2] < 200)))

    centre = opened(convert(data, target(Format.PNG, **options)))
    assert centre.size == (80, 80)
    assert bright(centre) == 0
    eye = opened(convert(data, target(Format.PNG, gravity="attention", **options)))
    assert eye.size == (80, 80)
    assert bright(eye) > 0.9 * 24 * 24


def test_contain_has_borders_that_are_clear() -> None:
    for format in (Format.WEBP, Format.PNG, Format.AVIF, Format.GIF):
        result = opened(convert(CORNERS_FILE, target(format, width=60, height=60, fit="contain")))
        assert result.size == (60, 60)
        for y in (4, 55):
            assert pixel(result.convert("RGBA"), (30, y))[3] <= 4
        assert is_close(result, (15, 20), (*RED, 255), by=16)
        assert is_close(result, (45, 40), (*GREY, 255), by=16)


def test_contain_in_a_jpeg_has_white_borders() -> None:
    result = opened(convert(CORNERS_FILE, target(Format.JPG, width=60, height=60, fit="contain")))
    assert is_close(result, (30, 4), (255, 255, 255))
    assert is_close(result, (15, 20), RED, by=16)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("format", list(Format))
def test_contain_has_borders_of_the_background(format: Format, mode: str) -> None:
    data = encoded(corners().convert(mode), "PNG")
    options: dict[str, Any] = {"width": 160, "height": 80, "fit": "contain", "background": "0a50c8"}
    result = opened(convert(data, target(format, **options)))
    assert result.size == (160, 80)
    for x in (4, 155):
        assert is_close(result, (x, 40), (0x0A, 0x50, 0xC8))
    assert is_close(result, (45, 20), pixel(corners().convert(mode).convert("RGB"), (20, 20)))


def test_contain_enlarges() -> None:
    data = CORNERS_FILE
    result = opened(convert(data, target(Format.PNG, width=240, height=200, fit="contain")))
    assert result.size == (240, 200)
    assert_corners(result.crop((0, 20, 240, 180)))


@pytest.mark.parametrize("size", [(33, 150), (300, 20), (1, 1), (240, 160)])
@pytest.mark.parametrize("format", list(Format))
def test_fill_stretches(format: Format, size: tuple[int, int]) -> None:
    width, height = size
    result = opened(convert(CORNERS_FILE, target(format, width=width, height=height, fit="fill")))
    assert result.size == size
    if min(size) > 8:
        assert_corners(result, by=20)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
@pytest.mark.parametrize("width", [100, 101, 250, 333, 700, 1199])
def test_a_decoder_that_shrinks_gives_the_size_and_the_pixels_of_one_that_does_not(
    kind: str, width: int
) -> None:
    data = large(1200, 900, kind)
    whole = opened(data).convert("RGB")
    result = opened(convert(data, target(Format.PNG, width=width, lossless=True)))
    assert result.size == (width, round(900 * width / 1200))
    expected = whole.resize(result.size, Image.Resampling.LANCZOS)
    assert distance(result, expected) < 4


def test_a_large_jpeg_is_shrunk_as_it_is_decoded_and_turned_too() -> None:
    data = large(1200, 900)
    turned = opened(data)
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = encoded(turned, "JPEG", exif=exif, quality=95)
    result = opened(
        convert(stored, target(Format.PNG, width=150, height=200, fit="fill", lossless=True))
    )
    expected = turned.transpose(Image.Transpose.ROTATE_270)
    assert distance(result, expected.resize((150, 200), Image.Resampling.LANCZOS)) < 4
    only_width = opened(convert(stored, target(Format.PNG, width=90)))
    assert only_width.size == (90, 120)


@pytest.mark.parametrize("size", [(37, 91), (160, 11), (1, 120)])
@pytest.mark.parametrize("fit", ["cover", "contain", "fill"])
def test_sizes_are_exact(fit: str, size: tuple[int, int]) -> None:
    width, height = size
    for kind in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        data = encoded(photo(157, 113), kind)
        for format in (Format.JPG, Format.WEBP):
            options = target(format, width=width, height=height, fit=fit)
            assert opened(convert(data, options)).size == size


def test_fine_lines_become_an_even_grey_and_edges_stay_clean() -> None:
    """What is seen of a kernel: no moiré, no halo of another colour."""
    image = Image.new("L", (400, 400))
    image.putdata([255 * ((x + y) % 2) for y in range(400) for x in range(400)])
    result = opened(convert(encoded(image, "PNG"), target(Format.PNG, width=100, lossless=True)))
    middle = np.asarray(result.convert("L").crop((4, 4, 96, 96))).astype(int)
    assert middle.max() - middle.min() < 16


def test_alpha_does_not_bleed_when_it_is_resized() -> None:
    """The colour under what is clear does not come out at the edge."""
    image = Image.new("RGBA", (200, 200), (*GREEN, 0))
    image.paste((*BLUE, 255), (50, 50, 150, 150))
    result = opened(convert(encoded(image, "PNG"), target(Format.PNG, width=40, lossless=True)))
    for x in range(40):
        red, green, blue, alpha = pixel(result.convert("RGBA"), (x, 20))
        if alpha > 40:
            assert green < 60, (x, red, green, blue, alpha)

"""A thumbnail keeps an object on a plain background whole, and else shows where the eye goes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.formats import Format
from tests.imaging.samples import (
    BLUE,
    RED,
    corners,
    distance,
    is_close,
    photo,
    pixel,
    pixels,
    target,
)
from tests.pictures import encoded, opened

CREAM = (240, 230, 200)
CLEAR = (0, 0, 0, 0)

Box = tuple[int, int, int, int]


def _on(
    background: tuple[int, ...], size: tuple[int, int], box: Box, mode: str = "RGB"
) -> Image.Image:
    """A red bar whose ends are blue."""
    image = Image.new(mode, size, background)
    left, top, right, bottom = box
    end = (right - left) // 8
    image.paste(RED, box)
    image.paste(BLUE, (left, top, left + end, bottom))
    image.paste(BLUE, (right - end, top, right, bottom))
    return image


def _thumb(image: Image.Image, width: int, height: int, kind: str = "PNG") -> Image.Image:
    data = encoded(image, kind)
    return opened(convert(data, target(Format.PNG, width=width, height=height, fit="thumb")))


def _blue(image: Image.Image) -> NDArray[np.bool_]:
    values = pixels(image)
    return (values[..., 2] > 150) & (values[..., 0] < 110)


def _assert_whole(result: Image.Image) -> None:
    """Both ends of the bar are there, with room beside them."""
    columns = np.flatnonzero(_blue(result).any(axis=0))
    assert 0 < columns[0] < columns[-1] < result.width - 1
    assert np.max(np.diff(columns)) > result.width / 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((400, 100), (20, 30, 380, 70)),  # wider than any square in it
        ((400, 100), (180, 20, 390, 80)),  # away from the middle
        ((120, 500), (10, 400, 110, 450)),
    ],
)
def test_an_object_on_a_plain_background_is_kept_whole(
    kind: str, size: tuple[int, int], box: Box
) -> None:
    result = _thumb(_on(CREAM, size, box), 60, 60, kind)
    assert result.size == (60, 60)
    _assert_whole(result)
    for at in ((1, 1), (58, 1), (1, 58), (58, 58)):
        assert is_close(result, at, CREAM, by=12)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (2, 9), (9, 1), (3, 3)])
def test_a_picture_of_a_few_pixels_is_a_thumbnail_of_itself(size: tuple[int, int]) -> None:
    result = _thumb(photo(*size), *size)
    assert result.size == size
    assert distance(result, photo(*size)) <= 3


def test_what_is_cut_off_is_background_where_the_object_fits_in() -> None:
    """Nothing is added, and the object is not made smaller than cover would have it."""
    result = _thumb(_on(CREAM, (400, 100), (300, 20, 390, 80)), 50, 50)
    reds = np.flatnonzero((pixels(result)[..., 0] > 200) & (pixels(result)[..., 2] < 100))
    rows = np.unique(reds // result.width)
    assert len(rows) == pytest.approx(30, abs=2)
    _assert_whole(result)


@pytest.mark.parametrize("format", list(Format))
def test_a_clear_background_stays_clear_where_the_format_has_that(format: Format) -> None:
    # Cut close: the corners alone are clear.
    image = Image.new("RGBA", (300, 80), CLEAR)
    ImageDraw.Draw(image).ellipse((0, 0, 299, 79), (*RED, 255))
    data = encoded(image, "PNG")
    result = opened(convert(data, target(format, width=60, height=60, fit="thumb")))
    assert result.size == (60, 60)
    border = pixel(result.convert("RGBA"), (30, 4))
    if format.output.has_alpha:
        assert border[3] <= 4
    else:
        assert is_close(result, (30, 4), (255, 255, 255))
    assert is_close(result, (30, 30), RED, by=20)
    assert is_close(result, (4, 30), RED, by=20)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_an_opaque_background_is_found_in_every_kind_of_pixels(mode: str) -> None:
    image = _on(CREAM, (400, 100), (20, 30, 380, 70)).convert(mode)
    result = _thumb(image, 60, 60)
    wanted = pixel(image.convert("RGBA"), (1, 1))
    assert is_close(result.convert("RGBA"), (1, 1), wanted, by=4)
    assert is_close(result.convert("RGBA"), (58, 58), wanted, by=4)
    assert not is_close(result.convert("RGBA"), (30, 30), wanted, by=40)


def test_nothing_is_enlarged() -> None:
    image = _on(CREAM, (40, 20), (4, 4, 36, 16))
    result = _thumb(image, 100, 80)
    assert result.size == (100, 80)
    bar = (pixels(result) != np.array(CREAM)).any(axis=2)
    assert bar.any(axis=0).sum() == pytest.approx(32, abs=1)
    assert bar.any(axis=1).sum() == pytest.approx(12, abs=1)
    assert _thumb(photo(160, 120), 320, 320).size == (120, 120)
    assert _thumb(photo(160, 120), 100, 300).size == (40, 120)


@pytest.mark.parametrize("picture", [photo(), corners(), Image.new("RGB", (90, 60), CREAM)])
def test_other_pictures_are_cut_where_the_eye_goes_first(picture: Image.Image) -> None:
    data = encoded(picture, "PNG")
    size: dict[str, Any] = {"width": 40, "height": 50}
    result = convert(data, target(Format.PNG, lossless=True, fit="thumb", **size))
    cover = target(Format.PNG, lossless=True, fit="cover", gravity="attention", **size)
    assert distance(opened(result), opened(convert(data, cover))) == 0


def test_an_object_that_the_border_cuts_off_does_not_float() -> None:
    """A portrait on a plain wall fills the thumbnail to its lower edge."""
    image = _on(CREAM, (300, 200), (80, 60, 220, 200))
    result = _thumb(image, 40, 80)
    assert result.size == (40, 80)
    assert not is_close(result, (20, 78), CREAM, by=40)


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.GIF])
def test_an_object_that_moves_is_whole_in_every_frame(format: Format) -> None:
    frames = [_on(CREAM, (400, 100), (at, 20, at + 150, 80)) for at in (10, 120, 240)]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)
    result = opened(convert(data, target(format, width=80, height=60, fit="thumb")))
    assert result.size == (80, 60)
    assert result.n_frames == 3  # type: ignore[attr-defined]
    for number in range(3):
        result.seek(number)
        columns = np.flatnonzero(_blue(result.convert("RGB")).any(axis=0))
        assert columns[-1] - columns[0] == pytest.approx(150 * 80 / 400, abs=5)


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (2, 2), (1, 1), (2, 40)])
def test_a_picture_of_a_few_pixels_has_a_thumbnail(size: tuple[int, int]) -> None:
    image = Image.new("RGBA", size, CLEAR)
    image.putpixel((size[0] - 1, size[1] - 1), (*RED, 255))
    assert _thumb(image, 1, 1).size == (1, 1)

"""What is smooth stays smooth in a palette, however little its colours differ."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from imaging.write.banding import banding, without_banding, without_far_colours
from imaging.write.banding import opened as opened_png
from imaging.write.palette import Colours
from tests.imaging.apngs import Part, apng
from tests.imaging.samples import corners, photo, pixels, target
from tests.pictures import encoded, opened

WIDTH, HEIGHT = 240, 160

Shades = NDArray[np.float64]


def _away() -> Shades:
    """How far each pixel is from the middle, 0 to 1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    away: Shades = np.hypot(x - WIDTH / 2, y - HEIGHT / 2)
    away /= away.max()
    return away


def _between(middle: tuple[float, ...], border: tuple[float, ...], noise: float = 0.5) -> Shades:
    """A round gradient, with as much noise as a camera's: without any it has few colours."""
    shades: Shades = np.array(middle) + _away()[..., None] * (np.array(border) - np.array(middle))
    shades += np.random.default_rng(1).uniform(-noise, noise, shades.shape)
    return shades


def _image(shades: Shades) -> Image.Image:
    return Image.fromarray(np.clip(np.round(shades), 0, 255).astype(np.uint8).squeeze())


def _dark() -> Image.Image:
    return _image(_between((24, 20, 40), (2, 4, 10)))


def _pale() -> Image.Image:
    return _image(_between((255, 252, 250), (222, 228, 240)))


def _grey() -> Image.Image:
    return _image(_between((40,), (4,)))


def _drawn_by_a_program() -> Image.Image:
    """A gradient of some 100 colours, as there is no noise in it."""
    return _image(_between((70, 75, 80), (10, 15, 20), noise=0))


def _with_a_logo() -> Image.Image:
    image = _dark()
    ImageDraw.Draw(image).ellipse((90, 50, 150, 110), fill=(230, 60, 40))
    return image


def _shadow() -> Image.Image:
    """Black of which more can be seen the nearer the middle it is."""
    clear = np.zeros((HEIGHT, WIDTH, 3))
    return _image(np.dstack((clear, 60 * (1 - _away()))))


def _fading() -> Image.Image:
    return _image(np.dstack((_between((24, 20, 40), (2, 4, 10)), 255 * (1 - _away() / 2))))


SMOOTH = {
    "dark": _dark,
    "pale": _pale,
    "grey": _grey,
    "drawn": _drawn_by_a_program,
    "logo": _with_a_logo,
    "shadow": _shadow,
    "fading": _fading,
}


def _step(result: Image.Image, image: Image.Image) -> float:
    """How far areas of 4 by 4 pixels are from what they were on black and on white, as the root of
    the mean square."""
    errors = []
    for shade in (0, 255):
        shown, wanted = (
            _on(each, shade).reshape(HEIGHT // 4, 4, WIDTH // 4, 4, 3) for each in (result, image)
        )
        errors.append((shown.mean((1, 3)) - wanted.mean((1, 3))) ** 2)
    return float(np.mean(errors) ** 0.5)


def _on(image: Image.Image, shade: int) -> Shades:
    seen = pixels(image, "RGBA")
    alpha = seen[..., 3:] / 255
    return seen[..., :3] * alpha + shade * (1 - alpha)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_picture_gets_no_bands(name: str, effort: Effort) -> None:
    image = SMOOTH[name]()
    for quality in (0, 95):
        result = opened(convert(encoded(image, "PNG"), target(Format.PNG, quality, effort)))
        assert _step(result, image) < 0.8


@pytest.mark.parametrize("effort", list(Effort))
def test_a_smooth_picture_is_still_smaller(effort: Effort) -> None:
    data = encoded(_dark(), "PNG")
    assert len(convert(data, target(Format.PNG, 0, effort))) < len(data)


def test_a_picture_of_16_bit_gets_no_bands() -> None:
    shades = _between((24, 20, 40), (2, 4, 10))
    image = pyvips.Image.new_from_array(np.clip(shades * 257, 0, 65535).astype(np.uint16))
    data = image.copy(interpretation="rgb16").pngsave_buffer(bitdepth=16)
    result = opened(convert(data, target(Format.PNG, 0, Effort.BALANCED)))
    assert _step(result, _image(shades)) < 0.8


def test_frames_that_are_smooth_get_no_bands() -> None:
    frames = [_image(_between((24, 20, 40), end, noise=1.5)) for end in ((2, 4, 10), (30, 4, 0))]
    data = apng([Part(frame.convert("RGBA")) for frame in frames])
    result = opened(convert(data, target(Format.PNG, 0, Effort.BALANCED)))
    for number, frame in enumerate(frames):
        result.seek(number)
        assert _step(result, frame) < 0.8


def test_frames_have_fewer_bytes_at_a_low_quality() -> None:
    frames = [_image(_between((24, 20, 40), end, noise=1.5)) for end in ((2, 4, 10), (30, 4, 0))]
    data = apng([Part(frame.convert("RGBA")) for frame in frames])
    low, usual = (
        len(convert(data, target(Format.PNG, quality, Effort.BALANCED))) for quality in (30, 85)
    )
    assert low < 0.7 * usual


def test_a_gif_gets_no_bands() -> None:
    result = opened(convert(encoded(_dark(), "PNG"), target(Format.GIF, 0, Effort.BALANCED)))
    assert _step(result, _dark()) < 0.8


@pytest.mark.parametrize("image", [photo(), corners()])
def test_what_is_not_smooth_is_quantised_once(image: Image.Image) -> None:
    calls: list[int] = []
    assert without_banding(_loaded(image), 76, _quantised(image, 64, calls), at_once=False)
    assert calls == [76]


def test_the_own_colours_stay_where_every_palette_shows_bands() -> None:
    calls: list[int] = []
    assert (
        without_banding(_loaded(_dark()), 76, _quantised(_dark(), 2, calls), at_once=False) is None
    )
    assert calls == sorted(set(calls))
    assert calls[-1] == 100


def test_a_low_quality_takes_no_full_palette_where_fewer_colours_do() -> None:
    image, calls = _loaded(_dark()), list[int]()
    few, fewer = (encoded(_dark().point(lambda value, by=by: value + by), "PNG") for by in (1, 2))
    allowed = banding(image, opened_png(few)) / 0.8

    def quantised(quality: int) -> bytes:
        calls.append(quality)
        return few if len(calls) > 1 else fewer

    assert without_banding(image, 20, quantised, at_once=False, allowed=allowed) == few
    assert len(calls) == 4
    assert max(calls) < 100


def test_a_low_quality_is_not_raised_above_the_usual_one_at_once() -> None:
    image, calls = _loaded(_dark()), list[int]()
    bad, good = (encoded(_dark().point(lambda value, by=by: value + by), "PNG") for by in (9, 0))

    def quantised(quality: int) -> bytes:
        calls.append(quality)
        return bad if quality < 76 else good

    assert without_banding(image, 20, quantised, at_once=False, allowed=5, usual=76) == good
    assert calls == [20, 76]


def test_more_colours_that_look_worse_are_not_taken() -> None:
    image, worse = _loaded(_dark()), _quantised(_dark(), 2, [])(0)
    few = encoded(_dark().point(lambda value: value + 1), "PNG")
    assert 1 < banding(image, opened_png(few)) <= 3
    made = {76: few}
    assert (
        without_banding(image, 76, lambda quality: made.get(quality, worse), at_once=False) == few
    )


FAR = ((213, 165, 253), (71, 40, 182), (175, 55, 252), (82, 250, 138))
"""The colours of four corners between which dithering gives pixels a far one."""


def _between_corners() -> Image.Image:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    right, down = (x / (WIDTH - 1))[..., None], (y / (HEIGHT - 1))[..., None]
    above, below = (
        np.array(left) * (1 - right) + np.array(end) * right for left, end in (FAR[:2], FAR[2:])
    )
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (HEIGHT, WIDTH, 3))
    return _image(above * (1 - down) + below * down + noise)


def test_no_pixel_gets_a_far_colour_in_as_few_colours_as_fit() -> None:
    image = _loaded(_between_corners())
    few = Colours(image, 85, 0).reduced(Effort.BALANCED, 1, plain=False)
    assert banding(image, opened_png(few)) < 5


def test_less_dithering_is_taken_where_it_is_clearly_better() -> None:
    image = _loaded(_dark())
    far, less, plain = (
        encoded(_dark().point(lambda value, by=by: value + by), "PNG") for by in (9, 3, 2)
    )
    assert without_far_colours(image, far, [lambda: less, lambda: far]) == less
    assert without_far_colours(image, far, [lambda: less, lambda: plain]) == plain
    assert without_far_colours(image, less, [lambda: less, lambda: far]) == less


def test_a_full_palette_with_far_colours_is_dithered_less() -> None:
    image, far = _loaded(_dark()), _quantised(_dark(), 2, [])(0)
    calm = _quantised(_dark(), 256, [])(0)
    found = without_banding(image, 76, lambda _: far, at_once=False, calmer=[lambda _: calm])
    assert found == calm


def _loaded(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(encoded(image, "PNG"), "").copy_memory()


def _quantised(image: Image.Image, colours: int, calls: list[int]) -> Callable[[int], bytes]:
    """A quantiser that gives so many colours at any quality, and says which was asked for."""

    def quantised(quality: int) -> bytes:
        calls.append(quality)
        file = io.BytesIO()
        image.quantize(colours).save(file, "PNG")
        return file.getvalue()

    return quantised

"""Icons, logos, screenshots, drawings and charts are few bytes, as WebP too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from bench.graphics import NAMES, make_graphics
from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from imaging.write.palette import Colours, to_pillow
from tests.imaging.samples import corners, distance, frame_count, photo, target
from tests.pictures import encoded, opened

SOME = slice(None, None, 9)
"""Of every kind some, for time."""


@pytest.fixture(scope="module")
def graphics(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_graphics(tmp_path_factory.mktemp("graphics"), NAMES[SOME])


def _is_lossless(data: bytes) -> bool:
    return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and b"VP8L" in data)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_a_webp_is_no_larger_than_the_original_or_our_png(
    graphics: list[Path], effort: Effort
) -> None:
    for path in graphics[::2]:  # of each kind
        data = path.read_bytes()
        webp = convert(data, target(Format.WEBP, 0, effort))
        png = convert(data, target(Format.PNG, 0, effort))
        assert len(webp) < len(data), path.name
        assert len(webp) <= len(png) * 1.02, path.name
        assert opened(webp).size == opened(data).size


def test_a_drawing_of_few_colours_keeps_each_pixel_as_webp() -> None:
    image = corners(800, 600)
    for quality in (0, 30, 90):
        result = convert(encoded(image, "PNG"), target(Format.WEBP, quality, Effort.BALANCED))
        assert _is_lossless(result)
        assert distance(opened(result), image) == 0


def test_a_screenshot_of_more_colours_gets_a_palette(graphics: list[Path]) -> None:
    path = next(path for path in graphics if path.name == "screenshot-05.png")
    data = path.read_bytes()
    webp = convert(data, target(Format.WEBP, 0, Effort.BALANCED))
    lossless = convert(data, target(Format.WEBP, 0, Effort.BALANCED, lossless=True))
    assert _is_lossless(webp)
    assert len(webp) < len(lossless)
    assert opened(data).convert("RGB").getcolors(256) is None
    assert opened(webp).convert("RGB").getcolors(256) is not None
    assert distance(opened(webp), opened(data)) < 2


def _palettes(graphics: list[Path], name: str) -> tuple[Image.Image, Image.Image]:
    """The graphic with the palette that PNG has, and with the one of WebP."""
    path = next(path for path in graphics if path.stem == name)
    image = pyvips.Image.new_from_file(str(path)).colourspace("srgb").copy_memory()
    colours = Colours(image, 0, 0)
    assert colours.suffices
    both = (colours.shown(Effort.FAST), colours.drawn(Effort.FAST))
    return to_pillow(both[0]).convert("RGB"), to_pillow(both[1]).convert("RGB")


def test_a_gradient_is_dithered(graphics: list[Path]) -> None:
    """Else it would become steps, which are seen."""
    png, webp = _palettes(graphics, "chart-19")
    assert distance(webp, png) == 0


def test_text_has_no_more_colours_than_it_takes(graphics: list[Path]) -> None:
    png, webp = _palettes(graphics, "screenshot-05")
    assert len(webp.getcolors(256) or ()) < len(png.getcolors(256) or ())
    assert distance(webp, png) < 2


def test_lossless_keeps_colours_that_a_palette_would_merge() -> None:
    y, x = np.mgrid[:300, :300]
    image = Image.fromarray(np.stack([x % 256, y % 256, (x + y) % 256], 2).astype(np.uint8))
    result = convert(encoded(image, "PNG"), target(Format.WEBP, 0, lossless=True))
    assert distance(opened(result), image) == 0


@pytest.mark.parametrize("effort", list(Effort))
def test_a_photograph_stays_lossy(effort: Effort) -> None:
    data = encoded(photo(300, 300), "PNG")
    assert not _is_lossless(convert(data, target(Format.WEBP, 0, effort)))


def _animated(frames: list[Image.Image]) -> bytes:
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80)


def test_an_animation_that_is_drawn_does_not_grow() -> None:
    frames = []
    for number in range(12):
        frame = Image.new("P", (320, 200), 0)
        frame.putpalette([255, 255, 255, 20, 20, 20, 200, 40, 40])
        draw = ImageDraw.Draw(frame)
        draw.text((20, 20), "so many pictures", 1)
        draw.ellipse((number * 20, 90, number * 20 + 60, 150), 2)
        frames.append(frame)
    data = _animated(frames)
    for effort in (Effort.FAST, Effort.BALANCED):
        result = convert(data, target(Format.WEBP, 0, effort))
        assert len(result) < len(data)
        shown = opened(result)
        assert frame_count(shown) == len(frames)
        for number, frame in enumerate(frames):
            shown.seek(number)
            assert distance(shown, frame) < 2


SIDES = st.sampled_from([1, 5, 16, 24, 33, 48, 64, 97, 150])


@st.composite
def small_pictures(draw: st.DrawFn) -> bytes:
    """Drawings, gradients and pieces of photographs, with alpha and without."""
    width, height = draw(SIDES), draw(SIDES)
    mode = draw(st.sampled_from(["L", "RGB", "RGBA", "P"]))
    kind = draw(st.sampled_from(["drawing", "gradient", "photograph", "noise"]))
    if kind == "photograph":
        image = photo(width, height)
    elif kind == "gradient":
        y, x = np.mgrid[:height, :width]
        values = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], 2)
        image = Image.fromarray(values.astype(np.uint8))
    elif kind == "noise":
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    else:
        image = Image.new("RGB", (width * 2, height * 2), "white")
        ink = ImageDraw.Draw(image)
        for at in range(draw(st.integers(1, 6))):
            box = (at * 9, at * 5, at * 9 + width, at * 5 + height)
            ink.ellipse(box, (at * 40, 200 - at * 30, 90))
        image = image.resize((width, height))
    image = image.convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    return encoded(image, "PNG")


@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    data=small_pictures(),
    format=st.sampled_from([Format.PNG, Format.WEBP]),
    quality=st.sampled_from([0, 40, 80, 100]),
    lossless=st.booleans(),
)
def test_a_higher_effort_is_never_larger(
    data: bytes, format: Format, quality: int, lossless: bool
) -> None:
    sizes = [
        len(convert(data, target(format, quality, effort, lossless=lossless))) for effort in Effort
    ]
    assert sizes == sorted(sizes, reverse=True)

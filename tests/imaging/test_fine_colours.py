"""Smart subsampling takes more than half of a WebP's time: it is for colours that change from pixel
to pixel."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from imaging.write import chroma
from tests.imaging.samples import photo, target
from tests.pictures import encoded

SIDE = 320
"""More than `ALL_EFFORTS_PIXELS`, up to which all is tried."""


def _picture(*, fine: bool) -> Image.Image:
    """Brightness that changes from pixel to pixel, and hues that do so or over 8 pixels."""
    source = np.random.default_rng(7)
    side = SIDE if fine else SIDE // 8
    hues = source.integers(-30, 31, (side, side, 3))
    if not fine:
        hues = hues.repeat(8, 0).repeat(8, 1)
    light = source.normal(128, 25, (SIDE, SIDE, 1))
    return Image.fromarray(np.clip(light + hues, 0, 255).astype(np.uint8))


def _in_memory(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.pngload_buffer(encoded(image, "PNG")).copy_memory()


def _saved(image: Image.Image, **settings: object) -> bytes:
    data: bytes = _in_memory(image).webpsave_buffer(keep="none", **settings)
    return data


@pytest.mark.parametrize("fine", [True, False])
@pytest.mark.parametrize("size", [(SIDE, SIDE), (SIDE - 1, SIDE - 3), (3, 2)])
def test_fine_colours_are_told_from_coarse_ones(size: tuple[int, int], fine: bool) -> None:
    image = _in_memory(_picture(fine=fine).crop((0, 0, *size)))
    assert chroma.is_fine(image) is fine
    assert chroma.is_fine(image.bandjoin(255)) is fine


@pytest.mark.parametrize("size", [(SIDE, 1), (1, SIDE), (1, 1)])
def test_a_line_has_no_fine_colours(size: tuple[int, int]) -> None:
    assert not chroma.is_fine(_in_memory(_picture(fine=True).crop((0, 0, *size))))


def test_grey_has_no_fine_colours() -> None:
    assert not chroma.is_fine(_in_memory(_picture(fine=True).convert("L")))


def test_a_webp_of_fine_colours_is_subsampled_smartly() -> None:
    image = _picture(fine=True)
    result = convert(encoded(image, "PNG"), target(Format.WEBP, 0, Effort.BALANCED))
    assert result == _saved(image, Q=78, effort=5, smart_subsample=True)


def test_a_webp_of_coarse_colours_is_not() -> None:
    image = _picture(fine=False)
    result = convert(encoded(image, "PNG"), target(Format.WEBP, 0, Effort.BALANCED))
    assert result == _saved(image, Q=80, effort=6)


def test_at_a_high_quality_every_webp_is_subsampled_smartly() -> None:
    image = _picture(fine=False)
    result = convert(encoded(image, "PNG"), target(Format.WEBP, 95, Effort.BALANCED))
    assert result == _saved(image, Q=98, effort=5, smart_subsample=True)


def test_a_jpeg_has_coarse_colours_and_more_effort_makes_it_no_larger() -> None:
    data = encoded(photo(SIDE, SIDE), "JPEG", quality=85)
    assert not chroma.is_fine(pyvips.Image.jpegload_buffer(data).copy_memory())
    sizes = [len(convert(data, target(Format.WEBP, 0, effort))) for effort in Effort]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] < 0.99 * sizes[0]


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
@pytest.mark.parametrize(("quality", "halved"), [(0, True), (89, True), (90, False), (100, False)])
def test_an_avif_keeps_its_chroma_whole_where_a_jpeg_does(
    quality: int, halved: bool, effort: Effort
) -> None:
    data = encoded(_picture(fine=True).crop((0, 0, 64, 64)), "PNG")
    result = convert(data, target(Format.AVIF, quality, effort))
    # AV1CodecConfigurationRecord: chroma_subsampling_x is the fifth bit of its third byte.
    configured = result[result.index(b"av1C") + 4 :]
    assert bool(configured[2] & 0b1000) is halved

"""JPEGs of every kind that people have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from imaging.read.segments import segments
from tests.imaging.blocks import flat_jpeg
from tests.imaging.profiles import green_for_cyan
from tests.imaging.samples import (
    assert_corners,
    corners,
    distance,
    is_close,
    photo,
    pixel,
    pixels,
    target,
)
from tests.pictures import encoded, opened

LOSSLESS = target(Format.PNG, lossless=True)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_baseline_and_progressive_of_every_subsampling(subsampling: str, progressive: bool) -> None:
    data = encoded(photo(), "JPEG", quality=90, subsampling=subsampling, progressive=progressive)
    assert distance(opened(convert(data, LOSSLESS)), opened(data)) < 1


@pytest.mark.parametrize(
    "factors", [(1, 1), (1, 2), (2, 1), (2, 2), (4, 1), (4, 2), (1, 4), (3, 1)]
)
def test_subsampling_that_is_seldom(factors: tuple[int, int]) -> None:
    """4:4:0, 4:1:1, 4:1:0 and more."""
    data = flat_jpeg(corners(192, 128), *factors)
    assert_corners(opened(data))
    assert_corners(opened(convert(data, LOSSLESS)))
    assert_corners(opened(convert(data, target(Format.JPG))))


def test_grey_stays_grey() -> None:
    data = encoded(photo().convert("L"), "JPEG", quality=90)
    for format in (Format.JPG, Format.PNG):
        result = opened(convert(data, target(format)))
        assert distance(result, opened(data)) < 3
        assert np.ptp(pixels(result), axis=2).max() == 0
    assert opened(convert(data, target(Format.JPG))).mode == "L"


@pytest.mark.parametrize("jfif", [True, False])
def test_with_and_without_jfif(jfif: bool) -> None:
    data = encoded(corners(), "JPEG", quality=95)
    if not jfif:
        data = _without_segment(data, 0xE0)
        assert b"JFIF" not in data
    assert_corners(opened(convert(data, LOSSLESS)))


def test_rgb_that_an_adobe_marker_tells() -> None:
    data = encoded(corners(), "JPEG", quality=95, keep_rgb=True)
    assert_corners(opened(convert(data, LOSSLESS)))
    assert_corners(opened(convert(data, target(Format.JPG, 95))))


@pytest.mark.parametrize("ycck", [False, True])
@pytest.mark.parametrize("format", list(Format))
def test_inks_become_colours(format: Format, ycck: bool) -> None:
    inks = {
        (0, 255, 255, 0): (228, 33, 40),
        (255, 255, 0, 0): (45, 48, 139),
        (0, 0, 0, 0): (255, 255, 255),
        (0, 0, 0, 255): (35, 31, 32),
    }
    for ink, colour in inks.items():
        result = opened(convert(_inks(ink, ycck=ycck), target(format)))
        assert result.mode in ("RGB", "P")
        assert is_close(result, (20, 20), colour, by=25), pixel(result.convert("RGB"), (20, 20))


@pytest.mark.parametrize("format", list(Format))
def test_inks_are_seen_through_the_profile_that_comes_with_them(format: Format) -> None:
    cyan = (255, 0, 0, 0)
    plain = opened(convert(_inks(cyan), target(format)))
    assert is_close(plain, (20, 20), (0, 155, 228), by=20)
    for data in (
        _inks(cyan, icc_profile=green_for_cyan()),
        encoded(Image.new("CMYK", (40, 40), cyan), "TIFF", icc_profile=green_for_cyan()),
    ):
        result = opened(convert(data, target(format)))
        assert is_close(result, (20, 20), (0, 169, 42), by=20)  # Lab 60 -60 50 in sRGB
        assert "icc_profile" not in result.info


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("format", [Format.WEBP, Format.JPG])
def test_of_a_file_that_ends_too_early_what_can_be_read_is_kept(
    format: Format, progressive: bool
) -> None:
    whole = encoded(photo(), "JPEG", quality=90, progressive=progressive)
    result = opened(convert(whole[: len(whole) * 2 // 3], target(format, 95)))
    assert result.size == (160, 120)
    upper = (0, 0, 160, 40)
    # A progressive file's first scans have the whole picture, coarsely.
    most = 12 if progressive else 4
    assert distance(result.crop(upper), opened(whole).crop(upper)) < most


def _without_segment(data: bytes, unwanted: int) -> bytes:
    head, end = [data[:2]], 2
    for segment in segments(data):
        end = segment.end
        if segment.kind != unwanted:
            head.append(data[segment.start : end])
    return b"".join((*head, data[end:]))


def _inks(ink: tuple[int, int, int, int], *, ycck: bool = False, **options: Any) -> bytes:
    """A photograph in CMYK with a piece of one colour in its upper left, large enough that its own
    pixels are not the smallest that can be written."""
    image = photo().convert("CMYK")
    image.paste(ink, (0, 0, 48, 48))
    if not ycck:
        return encoded(image, "JPEG", quality=95, **options)
    # What Photoshop writes: the inks as luma and chroma, black as it is, all of it inverted.
    *inks, black = image.split()
    luma_and_chroma = Image.merge("RGB", inks).convert("YCbCr").split()
    inverted = [band.point(lambda value: 255 - value) for band in luma_and_chroma]
    data = bytearray(encoded(Image.merge("CMYK", (*inverted, black)), "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2  # the transform
    return bytes(data)


@pytest.mark.parametrize("quality", [60, 80, 92])
@pytest.mark.parametrize("kind", ["photograph", "drawing", "tiny"])
def test_more_effort_is_never_more_bytes(kind: str, quality: int) -> None:
    image = {
        "photograph": photo(),
        "drawing": corners(),
        "tiny": photo().resize((40, 30)).quantize(6).convert("RGB"),
    }[kind]
    data = encoded(image, "PNG")
    sizes = [len(convert(data, target(Format.JPG, quality, effort))) for effort in Effort]
    assert sizes == sorted(sizes, reverse=True)

"""WebP, GIF, TIFF, AVIF, HEIC, BMP, ICO and JPEG 2000, by their pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from tests.imaging.profiles import display_p3
from tests.imaging.samples import (
    assert_corners,
    corners,
    distance,
    frame_count,
    is_close,
    photo,
    pixel,
    pixels,
    target,
)
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

LOSSLESS = target(Format.PNG, lossless=True)
GREY_16 = np.linspace(0, 65535, 64 * 48).astype(np.uint16).reshape(48, 64)

EXACT: list[tuple[str, dict[str, Any]]] = [
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "tiff_adobe_deflate"}),
    ("TIFF", {"compression": "packbits"}),
    ("BMP", {}),
    ("JPEG2000", {}),
]
LOSSY: list[tuple[str, dict[str, Any]]] = [
    ("WEBP", {"quality": 80}),
    ("AVIF", {"quality": 80}),
    ("AVIF", {"quality": 80, "subsampling": "4:4:4"}),
    ("HEIF", {"quality": 80}),
    ("HEIF", {"quality": 80, "chroma": 444}),
    ("TIFF", {"compression": "jpeg", "quality": 90}),
    ("JPEG2000", {"quality_layers": [10], "irreversible": True}),
    ("GIF", {}),
]


@pytest.mark.parametrize(("kind", "options"), EXACT)
def test_what_is_stored_without_loss_is_read_without(kind: str, options: dict[str, Any]) -> None:
    assert distance(opened(convert(encoded(photo(), kind, **options), LOSSLESS)), photo()) == 0


@pytest.mark.parametrize(("kind", "options"), LOSSY)
def test_what_is_stored_with_loss_is_read_as_others_do(kind: str, options: dict[str, Any]) -> None:
    data = encoded(photo(), kind, **options)
    assert distance(opened(convert(data, LOSSLESS)), opened(data)) < 1.5


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "AVIF", "HEIF", "ICO", "JPEG2000", "GIF", "BMP"])
def test_alpha_is_read(kind: str) -> None:
    image = corners(64, 64).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 64, 12))
    options: dict[str, Any] = {"sizes": [(64, 64)]} if kind == "ICO" else {}
    data = encoded(image, kind, **options)
    result = opened(convert(data, LOSSLESS)).convert("RGBA")
    assert result.size == (64, 64)
    assert_corners(result.crop((0, 12, 64, 64)).resize((64, 64)))
    if kind != "BMP":  # Pillow itself passes a BMP's alpha over
        assert pixel(result, (32, 4))[3] < 10
        assert is_close(opened(convert(data, target(Format.JPG))), (32, 4), (255, 255, 255))
    assert pixel(result, (16, 24))[3] == 255


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "AVIF", "HEIF", "BMP", "JPEG2000"])
def test_grey_is_read(kind: str) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(photo().convert("L"), kind, **options)
    assert distance(opened(convert(data, LOSSLESS)), opened(data)) < 2


@pytest.mark.parametrize("kind", ["TIFF", "JPEG2000"])
def test_16_bit_grey_becomes_8(kind: str) -> None:
    result = opened(convert(encoded(Image.fromarray(GREY_16), kind), LOSSLESS))
    assert np.abs(pixels(result, "L") - GREY_16 / 257).max() < 2


def test_10_bit_heic_becomes_8() -> None:
    values = np.stack([GREY_16, GREY_16[::-1], 65535 - GREY_16], axis=2)
    file = pillow_heif.from_bytes("RGB;16", (64, 48), values.tobytes())
    result = opened(convert(_saved(file), LOSSLESS))
    assert np.abs(pixels(result) - values / 257).mean() < 3


def test_a_heic_in_display_p3_keeps_its_colours() -> None:
    # These are pure red, green and blue in sRGB.
    for stored, shown in (((234, 51, 35), 0), ((117, 251, 76), 1), ((0, 0, 245), 2)):
        image = Image.new("RGB", (40, 40), stored)
        data = encoded(image, "HEIF", quality=95, chroma=444, icc_profile=display_p3())
        colour = tuple(255 * (band == shown) for band in range(3))
        for format in Format:
            result = opened(convert(data, target(format, 95)))
            by = 10 if format is Format.JXL else 8  # libjxl's green
            assert is_close(result, (20, 20), colour, by=by), format
            assert "icc_profile" not in result.info


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_of_several_pictures_in_one_file_the_first_is_taken(kind: str) -> None:
    others = [Image.new("RGB", (120, 80), "white")] * 2
    data = encoded(corners(), kind, save_all=True, append_images=others)
    assert_corners(opened(convert(data, LOSSLESS)))


def test_of_a_tiff_the_first_page_is_taken() -> None:
    data = encoded(corners(), "TIFF", save_all=True, append_images=[photo()])
    for format in Format:
        result = opened(convert(data, target(format)))
        assert_corners(result)
        assert frame_count(result) == 1


def test_of_an_icon_the_largest_picture_is_taken() -> None:
    data = encoded(corners(128, 128), "ICO", sizes=[(16, 16), (128, 128), (32, 32)])
    result = opened(convert(data, LOSSLESS))
    assert result.size == (128, 128)
    assert_corners(result)


@pytest.mark.parametrize("mode", ["1", "P", "L"])
@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
def test_few_bits_keep_each_pixel(kind: str, mode: str) -> None:
    image = corners().convert(mode)
    assert distance(opened(convert(encoded(image, kind), LOSSLESS)), image) == 0


def _saved(file: pillow_heif.HeifFile) -> bytes:
    import io

    buffer = io.BytesIO()
    file.save(buffer, quality=95, chroma=444)
    return buffer.getvalue()

"""Bytes in, bytes out: pixels, not only headers."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Keep, Options
from imaging.target import Target
from tests.imaging.samples import is_close
from tests.pictures import as_format, encoded, in_colour, opened, photograph

CORNERS = {
    "red": (220, 30, 30),
    "green": (30, 200, 30),
    "blue": (30, 30, 220),
    "grey": (90, 90, 90),
}
FORMATS = list(Format)


def _target(format: Format, quality: int = 90, max_pixels: int = 50_000_000) -> Target:
    return Target(format, quality, Limits(max_pixels))


def _corners(width: int = 120, height: int = 80) -> Image.Image:
    """Four colours: red, green above; blue, grey below."""
    image = Image.new("RGB", (width, height))
    half_x, half_y = width // 2, height // 2
    for (x, y), colour in zip(
        ((0, 0), (half_x, 0), (0, half_y), (half_x, half_y)), CORNERS.values(), strict=True
    ):
        image.paste(colour, (x, y, x + half_x, y + half_y))
    return image


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied(format: Format, orientation: int) -> None:
    upright = _corners()
    # How a camera that was held this way has stored it: the inverse of what a viewer does.
    stored = {
        1: lambda i: i,
        2: lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda i: i.transpose(Image.Transpose.ROTATE_180),
        4: lambda i: i.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(stored, "JPEG", quality=95, exif=exif)
    result = opened(convert(data, _target(format)))
    assert result.size == upright.size
    places = ((20, 15), (100, 15), (20, 65), (100, 65))
    for place, colour in zip(places, CORNERS.values(), strict=True):
        assert is_close(result, place, colour)
    assert 0x0112 not in result.getexif()


@pytest.mark.parametrize("format", FORMATS)
def test_metadata_is_dropped(format: Format) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret description"
    data = encoded(_corners(), "JPEG", exif=exif, comment=b"a secret comment")
    assert b"secret" in data
    result = convert(data, _target(format))
    assert b"secret" not in result
    assert not opened(result).getexif()
    assert "icc_profile" not in opened(result).info


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG])
def test_alpha_is_kept_where_the_format_has_it(format: Format) -> None:
    image = Image.new("RGBA", (60, 40), (200, 40, 40, 255))
    image.paste((0, 0, 0, 0), (0, 0, 30, 40))
    result = opened(convert(encoded(image, "PNG"), _target(format)))
    assert is_close(result, (45, 20), (200, 40, 40, 255))
    pixel = result.convert("RGBA").getpixel((10, 20))
    assert isinstance(pixel, tuple)
    assert pixel[3] == 0


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_alpha_is_on_white_in_jpeg(mode: str) -> None:
    image = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    image.paste((60, 60, 60, 255), (30, 0, 60, 40))
    result = opened(convert(encoded(image.convert(mode), "PNG"), _target(Format.JPG)))
    assert result.format == "JPEG"
    assert is_close(result, (10, 20), (255, 255, 255))
    assert is_close(result, (45, 20), (60, 60, 60))


@pytest.mark.parametrize("format", FORMATS)
def test_an_embedded_profile_is_brought_to_srgb(format: Format) -> None:
    """Red and blue have changed places in the pixels, and in the profile too."""
    swapped = Image.merge("RGB", _corners().split()[::-1])
    result = opened(
        convert(encoded(swapped, "PNG", icc_profile=_swapped_profile()), _target(format))
    )
    for place, colour in zip(((20, 15), (100, 15), (20, 65)), CORNERS.values(), strict=False):
        assert is_close(result, place, colour, by=16)


def _swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    entries = {
        bytes(profile[132 + 12 * n : 136 + 12 * n]): struct.unpack_from(
            ">II", profile, 136 + 12 * n
        )
        for n in range(count)
    }
    (red, size), (blue, _) = entries[b"rXYZ"], entries[b"bXYZ"]
    profile[red : red + size], profile[blue : blue + size] = (
        profile[blue : blue + size],
        profile[red : red + size],
    )
    return bytes(profile)


def test_a_broken_profile_is_passed_over() -> None:
    result = opened(
        convert(encoded(_corners(), "PNG", icc_profile=b"broken" * 100), _target(Format.WEBP))
    )
    assert is_close(result, (20, 15), CORNERS["red"])


@pytest.mark.parametrize("format", FORMATS)
def test_cmyk_becomes_rgb(format: Format) -> None:
    data = encoded(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95)
    pixel = opened(convert(data, _target(format))).convert("RGB").getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 180
    assert max(pixel[1:]) < 90


@pytest.mark.parametrize("format", FORMATS)
def test_16_bit_becomes_8(format: Format) -> None:
    # As a TIFF: a PNG of 16 bit may stay one, if it is smaller as it is.
    values = np.linspace(0, 65535, 64 * 64, dtype=np.uint16).reshape(64, 64)
    result = opened(convert(encoded(Image.fromarray(values), "TIFF"), _target(format)))
    grey = np.asarray(result.convert("L"), dtype=int)
    assert grey[0, 0] < 12
    assert grey[-1, -1] > 243
    assert abs(int(grey[32, 0]) - 128) < 12


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (1, 97), (97, 1), (33, 17)])
@pytest.mark.parametrize("format", FORMATS)
def test_every_mode_and_odd_size_is_converted(
    mode: str, size: tuple[int, int], format: Format
) -> None:
    image = in_colour("coffee").convert("RGBA").crop((100, 100, 200, 200)).resize(size)
    result = opened(convert(encoded(image.convert(mode), "PNG"), _target(format)))
    assert result.size == size


@pytest.mark.parametrize("format", [Format.PNG, Format.JPG, Format.AVIF])
@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str, format: Format) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in CORNERS.values()]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    result = opened(convert(data, _target(format)))
    assert result.size == (40, 30)
    assert getattr(result, "n_frames", 1) == 1
    assert is_close(result, (20, 15), CORNERS["red"])


def test_of_a_tiff_the_first_page_is_taken() -> None:
    pages = [Image.new("RGB", (40, 30), colour) for colour in CORNERS.values()]
    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert is_close(opened(convert(data, _target(Format.PNG))), (20, 15), CORNERS["red"])


def test_a_photograph_looks_the_same_in_every_format() -> None:
    original = np.asarray(in_colour("astronaut"), dtype=float)
    for format, least in ((Format.WEBP, 35), (Format.PNG, 32), (Format.JPG, 35)):
        result = opened(convert(photograph("astronaut"), _target(format)))
        error = np.mean((np.asarray(result.convert("RGB"), dtype=float) - original) ** 2)
        psnr = 10 * np.log10(255**2 / error)
        assert psnr > least, f"{format}: {psnr:.1f} dB"


def test_png_has_a_palette_and_jpeg_the_quality_asked_for() -> None:
    data = photograph("coffee")
    assert opened(convert(data, _target(Format.PNG))).mode == "P"
    sizes = [len(convert(data, _target(Format.JPG, quality))) for quality in (10, 50, 90)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] / 4


def test_a_truncated_jpeg_keeps_what_can_be_read() -> None:
    data = as_format("coffee", "JPEG", quality=90)
    result = opened(convert(data[: len(data) // 2], _target(Format.JPG)))
    assert result.size == (600, 400)
    top = np.asarray(result.convert("RGB"), dtype=float)[:100]
    whole = np.asarray(opened(data).convert("RGB"), dtype=float)[:100]
    assert np.abs(top - whole).mean() < 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not a picture"),
        (b"text", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not supported"),
        (b"%PDF-1.7\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "cannot be read"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 50, "cannot be read"),
        (b"GIF89a" + b"\0" * 50, "cannot be"),
        (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 50, "cannot be read"),
        (b"II*\0" + b"\xff" * 50, "cannot be read"),
    ],
)
def test_what_cannot_be_read_says_why_in_one_line(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=reason) as error:
        convert(data, _target(Format.WEBP))
    assert "\n" not in str(error.value)


def test_a_huge_picture_is_refused_by_its_header() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99))
    with pytest.raises(PictureError, match="900000000 pixels, more than the 50000000 allowed"):
        convert(data, _target(Format.WEBP))


def test_a_picture_too_wide_for_webp_fails_with_the_reason() -> None:
    data = encoded(Image.new("RGB", (17_000, 2)), "PNG")
    with pytest.raises(PictureError, match="webp holds 16383 pixels a side"):
        convert(data, _target(Format.WEBP))
    assert opened(convert(data, _target(Format.PNG))).size == (17_000, 2)


@pytest.mark.parametrize("format", FORMATS)
def test_exif_of_the_wrong_kind_is_passed_over(format: Format) -> None:
    """A copyright that is a fraction, as the fuzz has found."""
    broken = struct.pack("<2sHIHHHIIIII", b"II", 42, 8, 1, 0x8298, 5, 1, 26, 0, 1, 2)
    data = encoded(_corners(), "JPEG", exif=b"Exif\0\0" + broken)
    options = Options(keep=tuple(Keep))
    assert opened(convert(data, replace(_target(format), options=options))).size == (120, 80)

"""Colours stay what they were for the eye, whatever space they come in."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Keep
from tests.imaging.profiles import adobe_rgb, display_p3
from tests.imaging.samples import is_close, photo, pixel, target
from tests.pictures import encoded, opened

# The same colours in each space, from the spaces' definitions: the primaries of sRGB, and a grey.
SRGB = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128))
DISPLAY_P3 = ((234, 51, 35), (117, 251, 76), (0, 0, 245), (128, 128, 128))
ADOBE_RGB = ((219, 0, 0), (144, 255, 60), (0, 0, 250), (127, 127, 127))
SPACES = {"p3": (display_p3(), DISPLAY_P3), "adobe": (adobe_rgb(), ADOBE_RGB)}

PLACES = ((12, 12), (36, 12), (60, 12), (84, 12))


def _patches(colours: tuple[tuple[int, int, int], ...]) -> Image.Image:
    """The colours, and a photograph beside them so that the file can become smaller."""
    image = photo()
    for (x, y), colour in zip(PLACES, colours, strict=True):
        image.paste(colour, (x - 12, y - 12, x + 12, y + 12))
    return image


def _lossless(kind: str) -> dict[str, Any]:
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 98, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 98, "subsampling": "4:4:4"},
    }
    return options.get(kind, {})


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("format", list(Format))
def test_the_colours_of_other_spaces_are_brought_to_srgb(
    format: Format, kind: str, space: str
) -> None:
    profile, stored = SPACES[space]
    data = encoded(_patches(stored), kind, icc_profile=profile, **_lossless(kind))
    result = opened(convert(data, target(format, 90)))
    assert "icc_profile" not in result.info
    # WebP cannot keep chroma whole, and a palette not each colour.
    for place, colour in zip(PLACES, SRGB, strict=True):
        shown = result.convert("RGB").getpixel(place)
        assert is_close(result, place, colour, by=14), f"{shown} instead of {colour}"


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_a_profile_that_is_kept_keeps_its_values(format: Format, kind: str, space: str) -> None:
    profile, stored = SPACES[space]
    data = encoded(_patches(stored), kind, icc_profile=profile, **_lossless(kind))
    result = opened(convert(data, target(format, 90, keep=(Keep.ICC,))))
    assert result.info["icc_profile"] == profile
    for place, colour in zip(PLACES, stored, strict=True):
        shown = result.convert("RGB").getpixel(place)
        assert is_close(result, place, colour, by=14), f"{shown} instead of {colour}"


def test_a_gif_has_no_profile_and_so_none_is_kept() -> None:
    profile, stored = SPACES["p3"]
    data = encoded(_patches(stored), "PNG", icc_profile=profile)
    result = opened(convert(data, target(Format.GIF, keep=(Keep.ICC,))))
    for place, colour in zip(PLACES, SRGB, strict=True):
        assert is_close(result, place, colour, by=14)


@pytest.mark.parametrize("format", list(Format))
def test_a_resized_picture_has_its_colours_too(format: Format) -> None:
    profile, stored = SPACES["p3"]
    data = encoded(_patches(stored).resize((1280, 960)), "JPEG", quality=95, icc_profile=profile)
    result = opened(convert(data, target(format, 90, width=160)))
    for place, colour in zip(PLACES, SRGB, strict=True):
        assert is_close(result, place, colour, by=18)


def test_the_profile_of_a_grey_picture() -> None:
    """A profile for RGB does not fit; the picture stays as it is."""
    data = encoded(photo().convert("L"), "PNG", icc_profile=display_p3())
    for format in Format:
        result = opened(convert(data, target(format)))
        assert is_close(result, (100, 80), pixel(opened(data).convert("RGB"), (100, 80)), by=20)

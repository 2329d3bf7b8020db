"""A profile that is kept fits the pixels that it stands with, in every format."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from app.core.conversion import Format
from app.core.options import Effort, Keep
from tests.pictures import opened
from tests.workers.imaging.profiles import display_p3, green_for_cyan
from tests.workers.imaging.samples import distance, encoded, photo, target
from tests.workers.imaging.spaces import picture, shown, srgb
from workers.imaging.convert import convert

GAMMA = 1.4


def _grey_profile() -> bytes:
    """Of `GAMMA`, made from the profile for RGB by its header and a curve (ICC.1:2022)."""
    curve = b"para" + bytes(8) + struct.pack(">i", round(GAMMA * 65536))
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    size = 128 + 4 + 24 + len(curve) + len(white)
    header = bytearray(display_p3()[:128])
    header[:4], header[16:20] = struct.pack(">I", size), b"GRAY"
    places = (156, 156 + len(curve))
    directory = struct.pack(">I4sII4sII", 2, b"kTRC", places[0], 16, b"wtpt", places[1], 20)
    return bytes(header) + directory + curve + white


@pytest.mark.parametrize("background", [None, "808080", "ff8000"])
@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.SMALL])
@pytest.mark.parametrize("format", list(Format))
def test_a_grey_profile(format: Format, effort: Effort, mode: str, background: str | None) -> None:
    grey = photo().convert("L")
    wanted = picture(srgb((np.asarray(grey.convert("RGB")) / 255) ** GAMMA))
    image = grey.convert(mode)
    data = encoded(image, "PNG", icc_profile=_grey_profile())
    options = {"keep": (Keep.ICC,)} | ({"background": background} if background else {})
    result = convert(data, target(format, 95, effort, **options))
    kept = "icc_profile" in opened(result).info
    assert kept == (format in (Format.JPG, Format.PNG) and background != "ff8000")
    assert distance(shown(result), wanted) < 4
    assert distance(grey.convert("RGB"), wanted) > 10


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("format", list(Format))
def test_a_profile_of_three_colours(format: Format, mode: str) -> None:
    image = photo().quantize(64) if mode == "P" else photo().convert(mode)
    data = encoded(image, "PNG", icc_profile=display_p3())
    wanted = shown(data)
    result = convert(data, target(format, 95, keep=(Keep.ICC,), background="ff8000"))
    assert ("icc_profile" in opened(result).info) == (format is not Format.GIF)
    assert distance(shown(result), wanted) < 4


@pytest.mark.parametrize("format", list(Format))
def test_a_profile_of_inks(format: Format) -> None:
    image = Image.new("CMYK", (40, 40), (255, 0, 0, 0))
    data = encoded(image, "TIFF", icc_profile=green_for_cyan())
    result = opened(convert(data, target(format, 95, keep=(Keep.ICC,))))
    assert "icc_profile" not in result.info
    red, green, blue = result.convert("RGB").getpixel((20, 20))
    assert green > red + 40
    assert green > blue + 40


@pytest.mark.parametrize("format", list(Format))
def test_a_profile_of_other_bands_than_the_picture(format: Format) -> None:
    for image, profile in ((photo().convert("L"), display_p3()), (photo(), _grey_profile())):
        data = encoded(image, "PNG", icc_profile=profile)
        result = opened(convert(data, target(format, 95, keep=(Keep.ICC,), background="ffffff")))
        assert "icc_profile" not in result.info
        assert distance(result, image.convert("RGB")) < 4

"""A profile that is kept fits the pixels that it stands with, in every format."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort, Keep
from tests.imaging.profiles import display_p3, green_for_cyan, grey_curve
from tests.imaging.samples import distance, photo, pixel, target
from tests.imaging.spaces import picture, shown, srgb
from tests.pictures import encoded, opened

GAMMA = 1.4


@pytest.mark.parametrize("background", [None, "808080", "ff8000"])
@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.SMALL])
@pytest.mark.parametrize("format", list(Format))
def test_a_grey_profile(format: Format, effort: Effort, mode: str, background: str | None) -> None:
    grey = photo(112, 84).convert("L")
    wanted = picture(srgb((np.asarray(grey.convert("RGB")) / 255) ** GAMMA))
    image = grey.convert(mode)
    data = encoded(image, "PNG", icc_profile=grey_curve(GAMMA))
    options = {"keep": (Keep.ICC,)} | ({"background": background} if background else {})
    result = convert(data, target(format, 95, effort, **options))
    kept = "icc_profile" in opened(result).info
    assert kept == (format in (Format.JPG, Format.PNG, Format.JXL) and background != "ff8000")
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
    red, green, blue = pixel(result.convert("RGB"), (20, 20))
    assert green > red + 40
    assert green > blue + 40


@pytest.mark.parametrize("format", list(Format))
def test_a_profile_of_other_bands_than_the_picture(format: Format) -> None:
    for image, profile in ((photo().convert("L"), display_p3()), (photo(), grey_curve(GAMMA))):
        data = encoded(image, "PNG", icc_profile=profile)
        result = opened(convert(data, target(format, 95, keep=(Keep.ICC,), background="ffffff")))
        assert "icc_profile" not in result.info
        assert distance(result, image.convert("RGB")) < 4

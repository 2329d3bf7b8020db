"""Transparency stays where the format has it, and becomes the background elsewhere."""

from __future__ import annotations

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.errors import TRANSPARENT, PictureError
from imaging.formats import Format
from imaging.options import Alpha, Effort
from tests.imaging.samples import distance, is_close, opacities, photo, pixel, target
from tests.pictures import encoded, opened

WITH_ALPHA = (Format.WEBP, Format.PNG, Format.AVIF, Format.GIF)
CLEAR, HALF, SOLID = (20, 60), (80, 60), (140, 60)
"""Places of a picture that is more and more opaque from left to right."""


def _thirds(mode: str = "RGBA") -> bytes:
    image = Image.new("RGBA", (160, 120), (200, 40, 40, 255))
    image.paste(photo(54, 60), (106, 0))
    image.paste((0, 0, 0, 0), (0, 0, 53, 120))
    image.paste((200, 40, 40, 128), (53, 0, 106, 120))
    return encoded(image.convert(mode), "PNG")


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", WITH_ALPHA)
def test_alpha_is_kept(format: Format, effort: Effort) -> None:
    result = opened(convert(_thirds(), target(format, 90, effort))).convert("RGBA")
    assert pixel(result, CLEAR)[3] <= 4
    assert is_close(result, (140, 100), (200, 40, 40, 255))
    if format is not Format.GIF:  # it knows opaque and clear alone
        assert is_close(result, HALF, (200, 40, 40, 128))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_jpeg_is_on_white(mode: str) -> None:
    data = _thirds(mode)
    solid = pixel(opened(data).convert("RGB"), (140, 100))
    result = opened(convert(data, target(Format.JPG)))
    assert is_close(result, CLEAR, (255, 255, 255))
    assert is_close(result, (140, 100), solid)
    assert is_close(result, HALF, tuple((value + 255) // 2 for value in solid))


@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP])
def test_an_avif_whose_colours_are_multiplied_by_alpha(format: Format) -> None:
    image = opened(_thirds())
    data = encoded(image, "AVIF", quality=95, alpha_premultiplied=True)
    assert b"prem" in data
    result = opened(convert(data, target(format, 90))).convert("RGBA")
    assert is_close(result, HALF, (200, 40, 40, 128))
    assert is_close(result, (140, 100), (200, 40, 40, 255))


@pytest.mark.parametrize("opacity", [100, 140])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_translucent_picture_is_seen_as_a_gif(mode: str, opacity: int) -> None:
    image = photo().convert("RGBA")
    image.putalpha(opacity)
    image.paste((0, 0, 0, 0), (0, 0, 40, 120))
    data = encoded(image.convert(mode), "PNG")
    result = opened(convert(data, target(Format.GIF))).convert("RGBA")
    assert pixel(result, (20, 60))[3] == 0
    assert pixel(result, (100, 60))[3] == 255
    on_white = opened(convert(data, target(Format.PNG, background="ffffff", lossless=True)))
    box = (50, 0, 160, 120)
    assert distance(result.convert("RGB").crop(box), on_white.convert("RGB").crop(box)) < 10


def test_soft_edges_are_clear_or_opaque_in_a_gif() -> None:
    image = Image.new("RGBA", (160, 120), (200, 40, 40, 0))
    image.paste((200, 40, 40, 100), (30, 20, 130, 100))
    image.paste((200, 40, 40, 255), (35, 25, 125, 95))
    result = opened(convert(encoded(image, "PNG"), target(Format.GIF))).convert("RGBA")
    assert pixel(result, (32, 60))[3] == 0, "no white around a cut-out"
    assert pixel(result, (80, 60)) == (200, 40, 40, 255)


def test_a_format_that_holds_translucence_is_chosen_before_a_gif() -> None:
    image = photo().convert("RGBA")
    image.putalpha(100)
    formats = (Format.GIF, Format.PNG, Format.JPG)
    data = convert(encoded(image, "PNG"), target(Format.GIF, 80, formats=formats))
    assert opened(data).format == "PNG"


def test_transparency_that_would_be_lost_can_be_refused() -> None:
    with pytest.raises(PictureError, match="transparent") as error:
        convert(_thirds(), target(Format.JPG, alpha=Alpha.REFUSE))
    assert error.value.code == TRANSPARENT
    for format in WITH_ALPHA:
        assert opacities(opened(convert(_thirds(), target(format, alpha=Alpha.REFUSE))))[0] == 0
    half = photo().convert("RGBA")
    half.putalpha(100)
    with pytest.raises(PictureError, match="translucent and gif is not") as error:
        convert(encoded(half, "PNG"), target(Format.GIF, alpha=Alpha.REFUSE))
    assert error.value.code == TRANSPARENT
    on_blue = convert(_thirds(), target(Format.JPG, alpha=Alpha.REFUSE, background="0000ff"))
    assert is_close(opened(on_blue), CLEAR, (0, 0, 255))


def test_alpha_that_hides_nothing_is_no_transparency() -> None:
    opaque = encoded(photo().convert("RGBA"), "PNG")
    assert convert(opaque, target(Format.JPG, alpha=Alpha.REFUSE)) == convert(
        opaque, target(Format.JPG)
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("colour", ["0040c0", "404040"])
@pytest.mark.parametrize("format", list(Format))
def test_a_background_that_is_asked_for(format: Format, colour: str, mode: str) -> None:
    rgb = tuple(bytes.fromhex(colour))
    data = _thirds(mode)
    result = opened(convert(data, target(format, background=colour)))
    assert opacities(result) == (255, 255)
    assert is_close(result, CLEAR, rgb)
    assert is_close(result, (140, 100), pixel(opened(data).convert("RGB"), (140, 100)))


@pytest.mark.parametrize("format", WITH_ALPHA)
def test_the_background_of_a_picture_without_alpha_changes_nothing(format: Format) -> None:
    data = encoded(photo(), "TIFF")
    assert convert(data, target(format, background="00ff00")) == convert(data, target(format))


def test_a_soft_edge_in_a_palette_stays_soft() -> None:
    image = photo().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    result = opened(convert(encoded(image, "PNG"), target(Format.PNG))).convert("RGBA")
    errors = [abs(pixel(result, (80, y))[3] - pixel(image, (80, y))[3]) for y in range(5, 115, 10)]
    assert max(errors) < 40

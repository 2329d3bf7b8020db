"""`placeholder`: what a page shows until the picture is there, in a short text."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.measures import Measures
from imaging.placeholders.blurhash import blurhash
from imaging.placeholders.dominant import dominant
from imaging.placeholders.thumbhash import thumbhash
from tests.imaging.animations import animation
from tests.imaging.samples import BLUE, GREEN, RED, corners, photo, target
from tests.pictures import encoded


def _ramp(width: int, height: int, alpha: bool = False) -> Image.Image:
    """Colours, and perhaps transparency, that go from one side to the other."""
    y, x = np.mgrid[:height, :width]
    bands = [x * x * 255 // width**2, y * 255 // height, (3 * x + y * y) % 251]
    bands.append(
        (x * x + 40 * y) * 255 // (width**2 + 40 * height) if alpha else np.full_like(x, 255)
    )
    return Image.fromarray(np.stack(bands, axis=2).astype(np.uint8), "RGBA")


@pytest.mark.parametrize(
    ("image", "thumb", "blur"),
    [
        (_ramp(64, 48), "W6cJNZqQh4dwd4h3d2eHd6GQCPmI", "LyDU3y6y,XOEhnawjtaygafgfRfi"),
        (_ramp(30, 64), "m6cJMxqRcHeHdod2oJEK+Xg=", "TzDB4m70$4hlaejtgZfjfRi_axjr"),
        (
            _ramp(50, 50, alpha=True),
            "ILiFFQwmwJXBh3p4iMDQCutnkIdxiId4dw==",
            "LyDU6+6{,XOVhlawjua#gZfgfQfh",
        ),
        (
            _ramp(64, 20, alpha=True),
            "4QeGGoo14JSxd2nF0Bj9dZCHdoiId3c=",
            "LuDT^b6v,WODl^WSjvaxgFfNfTfQ",
        ),
        (_ramp(1, 1), "AAgCBwAAAAAAAAAAAAAAAAAAAAAAAAAA", "L00000fQfQfQfQfQfQfQfQfQfQfQ"),
    ],
)
def test_a_hash_is_that_of_its_authors_program(image: Image.Image, thumb: str, blur: str) -> None:
    """What the reference implementations give, written down."""
    assert thumbhash(*image.size, image.tobytes()) == thumb
    assert blurhash(*image.size, image.convert("RGB").tobytes()) == blur


def _told(data: bytes, kind: str, format: Format = Format.WEBP, **options: Any) -> str:
    told: list[Measures] = []
    convert(data, target(format, placeholder=kind, **options), told.append)
    assert told[-1].placeholder is not None
    return told[-1].placeholder


@pytest.mark.parametrize("kind", ["thumbhash", "blurhash", "color"])
@pytest.mark.parametrize("format", list(Format))
def test_it_is_told_with_the_sizes_and_is_always_the_same(kind: str, format: Format) -> None:
    data = encoded(photo(), "JPEG")
    one = _told(data, kind, format)
    assert _told(data, kind, format) == one
    assert one != _told(encoded(corners(), "JPEG"), kind, format)


def test_without_being_asked_for_there_is_none() -> None:
    told: list[Measures] = []
    convert(encoded(photo(), "JPEG"), target(Format.WEBP), told.append)
    assert told[-1].placeholder is None
    assert "placeholder" not in told[-1].to_dict()


def test_it_does_not_change_the_result() -> None:
    data = encoded(photo(), "JPEG")
    for format in Format:
        assert convert(data, target(format)) == convert(data, target(format, placeholder="color"))


def test_its_shape_and_its_transparency_are_those_of_the_result() -> None:
    def head(**options: Any) -> tuple[bool, bool]:
        """Whether it is wider than high, and whether it is transparent."""
        found = base64.b64decode(_told(data, "thumbhash", **options))
        return bool(found[4] & 0x80), bool(found[2] & 0x80)

    data = encoded(_ramp(300, 100, alpha=True), "PNG")
    assert head() == (True, True)
    assert head(background="ffffff") == (True, False)
    assert head(width=40, height=90, fit="fill") == (False, True)


def test_the_colour_is_that_of_the_largest_part() -> None:
    image = Image.new("RGB", (100, 100), RED)
    image.paste(GREEN, (0, 0, 100, 40))
    image.paste(BLUE, (0, 40, 30, 100))
    assert _told(encoded(image, "PNG"), "color") == "#{:02x}{:02x}{:02x}".format(*RED)


def test_shades_of_a_colour_count_together_wherever_they_lie() -> None:
    noise = np.random.default_rng(1).integers(0, 24, (40, 40, 3))
    image = np.zeros((40, 64, 4), np.uint8)
    image[..., 3] = 255
    image[:, :40, :3] = 116 + noise  # around 128, where a cell of the counts ends
    image[:, 40:, :3] = (250, 10, 10)
    red, green, blue = bytes.fromhex(dominant(image.tobytes())[1:])
    assert all(abs(value - 127) <= 2 for value in (red, green, blue))


def test_what_is_clear_has_no_colour() -> None:
    image = Image.new("RGBA", (64, 64), (0, 200, 0, 0))
    assert dominant(image.tobytes()) == "#ffffff"
    image.paste((*RED, 40), (0, 0, 9, 9))
    assert dominant(image.tobytes()) == "#{:02x}{:02x}{:02x}".format(*RED)


def test_of_an_animation_it_is_the_first_frame() -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in (RED, GREEN, BLUE, RED)]
    assert _told(animation("WEBP", frames=frames), "color") == "#{:02x}{:02x}{:02x}".format(*RED)

"""A picture is shown upright, however the camera was held and whatever file it wrote."""

from __future__ import annotations

from functools import cache

import pillow_heif
import pytest

from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Keep
from tests.imaging.samples import ORIENTATION, assert_corners, corners, oriented, stored, target
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

TURNS = range(1, 9)
WITH_EXIF = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")
"""The inputs whose files can carry EXIF. Pillow writes an AVIF's orientation as its properties, and
a HEIC's as the EXIF it is given as an object."""

_TAG = bytes.fromhex("0112000300000001")
"""The beginning of an orientation's entry in big-endian EXIF."""


@cache
def _turned(kind: str, orientation: int, width: int, height: int) -> bytes:
    """The file of a camera that was held this way; the picture has this size upright."""
    upright = corners(width, height)
    return encoded(stored(upright, orientation), kind, exif=oriented(orientation))


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", WITH_EXIF)
def test_every_orientation_of_every_input_is_applied(kind: str, orientation: int) -> None:
    data = _turned(kind, orientation, 120, 80)
    other = Format.WEBP if kind == "PNG" else Format.PNG  # the same format may keep its turn
    result = opened(convert(data, target(other)))
    assert result.size == (120, 80)
    assert_corners(result)
    assert ORIENTATION not in result.getexif()


@pytest.mark.parametrize("also_in_exif", [False, True])
@pytest.mark.parametrize("orientation", TURNS)
def test_a_heic_is_turned_once_by_its_properties(orientation: int, also_in_exif: bool) -> None:
    """Phones write the turn as a property, and say it in the EXIF too."""
    exif = oriented(orientation).tobytes()
    data = encoded(stored(corners(), orientation), "HEIF", exif=exif)
    assert (b"irot" in data or b"imir" in data) == (orientation > 1)
    if not also_in_exif:
        number = _TAG + bytes((0, orientation))
        assert data.count(number) == 1
        data = data.replace(number, _TAG + b"\0\1")
    result = opened(convert(data, target(Format.PNG)))
    assert result.size == (120, 80)
    assert_corners(result)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("format", list(Format))
def test_what_is_kept_does_not_turn_the_picture_once_more(format: Format, orientation: int) -> None:
    exif = oriented(orientation)
    exif[0x8298] = "of somebody"
    data = encoded(stored(corners(), orientation), "TIFF", exif=exif)
    result = opened(convert(data, target(format, keep=tuple(Keep))))
    assert result.size == (120, 80)
    assert_corners(result)
    assert result.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("fit", ["inside", "cover", "contain", "fill"])
@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "HEIF"])
def test_width_and_height_are_those_of_the_picture_as_it_is_shown(
    kind: str, orientation: int, fit: str
) -> None:
    data = _turned(kind, orientation, 480, 320)
    result = opened(convert(data, target(Format.PNG, width=60, height=40, fit=fit)))
    assert result.size == (60, 40)
    assert_corners(result)


def test_a_number_that_is_no_orientation_is_passed_over() -> None:
    for number in (0, 9, 200):
        result = opened(
            convert(encoded(corners(), "JPEG", exif=oriented(number)), target(Format.PNG))
        )
        assert_corners(result)

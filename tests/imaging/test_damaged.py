"""A picture that is not whole can be refused, and one that is never is."""

from __future__ import annotations

from typing import Any

import pytest

from imaging.convert import convert
from imaging.errors import DAMAGED, PROCESSING_FAILED, PictureError
from imaging.formats import Format, frames_of
from imaging.formats.recognise import picture_type
from imaging.options import Damaged, Effort
from tests.imaging import damage
from tests.imaging.samples import distance, target
from tests.pictures import opened

REFUSE: dict[str, Any] = {"damaged": Damaged.REFUSE}

NOT_READ = ("BMP", "HEIF", "ICO", "JPEG2000", "WEBP", "AVIF", "lossless", "moving WEBP", "TIFF")
"""The beginnings of names whose decoders refuse what is not whole in any case."""


def _own(data: bytes) -> Format:
    kind = str(picture_type(data))
    return next((each for each in Format if each.media_type == kind), Format.PNG)


@pytest.mark.parametrize("kind", damage.WHOLE)
def test_a_whole_picture_is_as_it_is_without_the_option(kind: str) -> None:
    data = damage.WHOLE[kind]
    for format in {_own(data), Format.WEBP}:
        assert convert(data, target(format, **REFUSE)) == convert(data, target(format))


@pytest.mark.parametrize("name", damage.HARMLESS)
def test_what_every_reader_shows_whole_is_not_refused(name: str) -> None:
    data = damage.HARMLESS[name]()
    for format in {_own(data), Format.WEBP}:
        assert convert(data, target(format, **REFUSE)) == convert(data, target(format))


@pytest.mark.parametrize("name", damage.DAMAGED)
def test_what_is_not_whole_is_refused(name: str) -> None:
    data = damage.DAMAGED[name]()
    for format, effort in ((_own(data), Effort.FAST), (Format.WEBP, Effort.FAST)):
        with pytest.raises(PictureError) as error:
            convert(data, target(format, 80, effort, **REFUSE))
        refused_anyway = name.startswith(NOT_READ)
        assert error.value.code in (DAMAGED, *([PROCESSING_FAILED] if refused_anyway else []))
        assert "VipsJpeg" not in str(error.value)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("kind", ["JPEG", "progressive JPEG", "PNG", "GIF"])
def test_its_own_bytes_are_not_passed_on_either(kind: str, effort: Effort) -> None:
    data = damage.cut(damage.WHOLE[kind], 0.8)
    convert(data, target(_own(data), 100, effort))
    with pytest.raises(PictureError, match="the picture is damaged"):
        convert(data, target(_own(data), 100, effort, **REFUSE))


def test_what_is_cut_out_is_not_all_that_counts() -> None:
    data = damage.cut(damage.WHOLE["JPEG"], 0.8)
    cuts: list[dict[str, Any]] = [{"width": 20}, {"width": 16, "height": 100, "fit": "cover"}]
    for cut in cuts:
        with pytest.raises(PictureError, match="the picture is damaged"):
            convert(data, target(Format.JPG, **cut, **REFUSE))


def test_without_the_option_it_is_shown_as_far_as_it_goes() -> None:
    whole, data = opened(damage.WHOLE["JPEG"]), damage.cut(damage.WHOLE["JPEG"], 0.8)
    plain = convert(data, target(Format.PNG))
    assert convert(data, target(Format.PNG, damaged=Damaged.SHOW)) == plain
    top = (0, 0, 160, 60)
    assert distance(opened(plain).crop(top), whole.crop(top)) < 4


@pytest.mark.parametrize("fit", ["inside", "fill", "cover"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "GIF"])
def test_what_is_there_is_shown_also_in_a_single_pixel(kind: str, fit: str) -> None:
    data = damage.cut(damage.WHOLE[kind], 0.8)
    size: dict[str, Any] = {"width": 1, "height": 1, "fit": fit}
    for format in (Format.PNG, Format.WEBP):
        assert opened(convert(data, target(format, **size))).size == (1, 1)


@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP])
def test_a_picture_of_which_nothing_is_there_is_no_black_pixel(format: Format) -> None:
    data = damage.WHOLE["PNG"]
    data = data[: data.index(b"IDAT") + 8]
    with pytest.raises(PictureError, match="cannot be read"):
        convert(data, target(format, width=1, height=1))


@pytest.mark.parametrize("kind", ["moving APNG", "moving GIF"])
def test_frames_that_are_missing_count_where_frames_are_shown(kind: str) -> None:
    data = damage.cut(damage.WHOLE[kind], 0.7)
    convert(data, target(Format.WEBP))
    assert frames_of(Format.WEBP)
    with pytest.raises(PictureError, match="the picture is damaged") as error:
        convert(data, target(Format.WEBP, **REFUSE))
    assert error.value.code == DAMAGED

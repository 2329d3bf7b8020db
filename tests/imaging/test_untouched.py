"""A JPEG whose pixels stay as they are goes through Pillow, for what libvips would make of it; any
other goes through libvips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from mmap import mmap
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imaging.codecs import READERS
from imaging.convert import convert
from imaging.data import Data
from imaging.decode import decode_otherwise
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.formats.jpg import by_pillow
from imaging.formats.webp import ways
from imaging.limits import Limits
from imaging.options import Effort
from imaging.results import untouched
from imaging.target import Target
from tests.imaging.blocks import flat_jpeg
from tests.imaging.profiles import display_p3
from tests.imaging.samples import corners, oriented, photo, target
from tests.pictures import encoded, noise, opened

JPEG = "image/jpeg"

SEVERAL_WAYS, ONE_WAY = (480, 320), (1000, 600)
"""Sizes that `Effort.BALANCED` writes in several ways, and in one."""

TO_JPG, TO_WEBP = target(Format.JPG, 80), target(Format.WEBP, 80)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each file that Pillow was to read whether it did."""
    asked: list[bool] = []
    reader = READERS[JPEG]

    def noted(data: Data, size: tuple[int, int], memory: mmap | None) -> Image.Image | None:
        picture = reader.plain(data, size, memory)
        asked.append(picture is not None)
        return picture

    monkeypatch.setitem(READERS, JPEG, replace(reader, plain=noted))
    return asked


def _by_libvips(data: bytes, wanted: Target) -> bytes:
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(READERS, JPEG, replace(READERS[JPEG], plain=lambda *given: None))
        return convert(data, wanted)


def _jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or photo(), "JPEG", **{"quality": 95, **options})


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_every_usual_kind_becomes_what_libvips_makes_of_it(
    read: list[bool], subsampling: str, progressive: bool, mode: str
) -> None:
    image = photo(331, 217).convert(mode)  # no whole blocks
    data = _jpeg(image, subsampling=subsampling, progressive=progressive)
    for wanted in (TO_JPG, TO_WEBP, target(Format.JPG, 92, Effort.BALANCED)):
        assert convert(data, wanted) == _by_libvips(data, wanted)
    assert read == [True] * 3


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
@pytest.mark.parametrize("quality", [20, 80, 89, 90, 100])
@pytest.mark.parametrize("size", [SEVERAL_WAYS, ONE_WAY])
def test_a_jpg_of_any_quality_is_the_one_of_libvips(
    read: list[bool], size: tuple[int, int], quality: int, effort: Effort
) -> None:
    data = _jpeg(photo().resize(size))
    wanted = target(Format.JPG, quality, effort)
    assert convert(data, wanted) == _by_libvips(data, wanted)
    assert read == [True]


def _smooth() -> Image.Image:
    """A photograph out of focus."""
    return photo(40, 30).resize((480, 360), Image.Resampling.BICUBIC)


def _fine_colours() -> Image.Image:
    """Red and blue beside each other."""
    values = np.zeros((300, 400, 3), np.uint8)
    values[:, ::2, 0] = values[:, 1::2, 2] = 255
    return Image.blend(Image.fromarray(values), photo().resize((400, 300)), 0.5)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
@pytest.mark.parametrize(
    "image",
    [photo(60, 50), photo(400, 300), _smooth(), _fine_colours(), corners(400, 300)],
    ids=["small", "photograph", "smooth", "fine colours", "graphic"],
)
def test_a_webp_of_any_kind_of_picture_is_the_one_of_libvips(
    read: list[bool], image: Image.Image, effort: Effort
) -> None:
    data, wanted = _jpeg(image, subsampling="4:4:4"), target(Format.WEBP, 80, effort)
    assert convert(data, wanted) == _by_libvips(data, wanted)
    assert read == [True]


def test_a_large_webp_is_the_one_of_libvips(
    read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which takes the plain encoder for it at every effort."""
    monkeypatch.setattr(ways, "SHARP_PIXELS", 400 * 300 - 1)
    data = _jpeg(_fine_colours(), subsampling="4:4:4")
    wanted = target(Format.WEBP, 80, Effort.BALANCED)
    result = convert(data, wanted)
    assert result == convert(data, TO_WEBP) == _by_libvips(data, wanted)
    assert read == [True] * 2


@pytest.mark.parametrize("wanted", [TO_JPG, TO_WEBP])
def test_nothing_is_left_of_its_metadata(read: list[bool], wanted: Target) -> None:
    exif = Image.Exif()
    exif[0x013B] = "a secret"
    data = _jpeg(exif=exif, comment=b"a secret", dpi=(300, 300), xmp=b"<a secret/>")
    result = convert(data, wanted)
    assert read == [True]
    assert result == convert(_jpeg(), wanted)
    assert b"secret" not in result


def _unusual() -> dict[str, bytes]:
    adobe = _jpeg(keep_rgb=True)
    return {
        "inks": _jpeg(photo().convert("CMYK")),
        "red, green and blue": adobe,
        "another transform": adobe.replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0\2"),
        "4:1:0": flat_jpeg(corners(192, 128), 4, 2),
        "4:4:0": flat_jpeg(corners(192, 128), 1, 2),
        "arithmetic codes": _jpeg().replace(b"\xff\xc0", b"\xff\xc9", 1),
        "12 bits": _jpeg().replace(b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c", 1),
    }


@pytest.mark.parametrize("kind", list(_unusual()))
def test_what_is_not_of_the_usual_kind_is_left_to_libvips(read: list[bool], kind: str) -> None:
    data = _unusual()[kind]
    for wanted in (TO_JPG, TO_WEBP):
        assert _result(data, wanted) == _result(data, wanted, _by_libvips)
    assert not any(read)


def _result(
    data: bytes, wanted: Target, make: Callable[[bytes, Target], bytes] = convert
) -> bytes | None:
    """None of an error: what libvips says beside the reason depends on its threads."""
    try:
        return make(data, wanted)
    except PictureError:
        return None


@pytest.mark.parametrize(
    ("asked", "file"),
    [
        ({"width": 100}, {}),
        ({"trim": 10}, {}),
        ({"sharpen": 1.0}, {}),
        ({"keep": ["copyright"]}, {}),
        ({"max_bytes": 3000}, {}),
        ({"placeholder": "color"}, {}),
        ({"lossless": True}, {}),
        ({}, {"exif": oriented(6)}),
        ({}, {"icc_profile": display_p3()}),
    ],
)
def test_where_more_is_to_be_done_libvips_does_it(
    read: list[bool], asked: dict[str, Any], file: dict[str, Any]
) -> None:
    image = photo()
    image.paste((255, 255, 255), (0, 0, 160, 40))  # for `trim`
    data = _jpeg(image, **file)
    for format in [Format.WEBP] if "lossless" in asked else [Format.JPG, Format.WEBP]:
        opened(convert(data, target(format, 80, **asked)))
    assert not read


def _before_its_scans() -> dict[str, bytes]:
    """What a file may have millions of, and Pillow takes long for."""
    whole, behind_jfif = _jpeg(), 20
    put = {
        "segments": b"\xff\xfe\0\2" * by_pillow.MOST_SEGMENTS,
        "parts of an EXIF block": b"\xff\xe1\0\x0aExif\0\0II" * by_pillow.MOST_SEGMENTS,
        "filling": b"\xff",
        "restarts": b"\xff\xd0",
        "no segment": b"no segment",
    }
    files = {kind: whole[:behind_jfif] + part + whole[behind_jfif:] for kind, part in put.items()}
    scan = whole.index(b"\xff\xda")
    return files | {"filling before the scan": whole[:scan] + b"\xff" + whole[scan:]}


@pytest.mark.parametrize("kind", list(_before_its_scans()))
def test_a_file_for_which_pillow_may_take_minutes_is_left_to_libvips(
    read: list[bool], kind: str
) -> None:
    assert convert(_before_its_scans()[kind], TO_WEBP) == _by_libvips(_jpeg(), TO_WEBP)
    assert read == [False]


def test_a_broken_file_for_which_pillow_would_take_minutes_is_refused() -> None:
    many = _before_its_scans()["parts of an EXIF block"]
    with pytest.raises(PictureError, match="its EXIF block has 300 parts, at most 299 are read"):
        decode_otherwise(many, Limits())
    decode_otherwise(_jpeg(), Limits())


def test_as_many_segments_as_metadata_may_need_are_no_hindrance(read: list[bool]) -> None:
    whole = _jpeg()
    part = b"\xff\xe2\xff\xff" + bytes(65533)
    convert(whole[:20] + part * 250 + whole[20:], TO_WEBP)
    assert read == [True]


@pytest.mark.parametrize("format", [Format.JPG, Format.WEBP])
def test_a_picture_that_crashed_a_decoder_is_left_to_libvips(
    read: list[bool], format: Format
) -> None:
    convert(_jpeg(), replace(target(format), careful=True))
    assert not read


def test_a_picture_of_many_pixels_is_left_to_libvips(
    read: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(untouched, "MAX_PIXELS", 160 * 120 - 1)
    convert(_jpeg(), TO_JPG)
    assert not read
    monkeypatch.setattr(untouched, "MAX_PIXELS", 160 * 120)
    convert(_jpeg(), TO_JPG)
    assert read == [True]


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("wanted", [TO_JPG, TO_WEBP])
def test_a_broken_file_becomes_what_libvips_makes_of_it(wanted: Target, progressive: bool) -> None:
    whole = _jpeg(progressive=progressive)
    half = len(whole) // 2
    for data in (
        whole[:-2],
        whole[:half],
        whole[:half] + b"\xff\xd9",
        whole[:half] + bytes(64) + whole[half + 64 :],
        whole[:half] + whole[half + 40 :],
    ):
        made = _result(data, wanted)
        assert made is not None
        assert made == _result(data, wanted, _by_libvips)


def test_a_file_that_was_cut_off_is_left_to_libvips(read: list[bool]) -> None:
    whole = _jpeg()
    convert(whole[: len(whole) // 2], TO_WEBP)
    assert read == [False]


def test_a_file_of_more_bytes_than_pillow_expects_is_written_by_libvips(read: list[bool]) -> None:
    data, wanted = noise(800), target(Format.JPG, 100, Effort.BALANCED)
    result = convert(data, wanted)
    assert read == [True]
    assert result == _by_libvips(data, wanted)

"""A JPEG that its own tables show to be small enough already is passed on without an encoder."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from imaging.codec import Encoding
from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.formats import Format
from imaging.options import Effort
from tests.imaging.profiles import display_p3
from tests.imaging.samples import distance, oriented, photo, target
from tests.pictures import encoded, opened

ASKED = 80

LARGE = photo(320, 300).resize((1000, 600))
"""More than is written in several ways."""


def _jpeg(quality: int = ASKED, image: Image.Image | None = None, **options: Any) -> bytes:
    options = {"subsampling": "4:2:0", "optimize": True} | options
    return encoded(image or photo(640, 400), "JPEG", quality=quality, **options)


@pytest.fixture
def encodings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The qualities that the encoder was asked for."""
    asked: list[int] = []
    writer = WRITERS[Format.JPG]

    def noted(image: Any, wanted: Encoding) -> bytes:
        asked.append(wanted.quality)
        return writer.encode(image, wanted)

    noting = replace(writer, encode=noted, plain=lambda *given: None)
    monkeypatch.setitem(WRITERS, Format.JPG, noting)
    return asked


@pytest.mark.parametrize(
    ("effort", "quality", "options"),
    [
        (Effort.FAST, ASKED, {}),
        (Effort.FAST, 50, {}),
        (Effort.FAST, ASKED, {"progressive": True}),
        (Effort.FAST, ASKED, {"image": photo(640, 400).convert("L")}),
        (Effort.BALANCED, ASKED - 5, {"image": LARGE}),
        (Effort.BALANCED, ASKED - 5, {"image": LARGE, "progressive": True}),
    ],
)
def test_what_is_small_enough_is_not_encoded(
    encodings: list[int], effort: Effort, quality: int, options: dict[str, Any]
) -> None:
    data = _jpeg(quality, **options)
    assert convert(data, target(Format.JPG, ASKED, effort)) == data
    assert not encodings


@pytest.mark.parametrize(
    ("effort", "quality", "options"),
    [
        (Effort.FAST, ASKED + 1, {}),
        (Effort.FAST, ASKED, {"optimize": False}),  # with the standard's Huffman tables
        (Effort.FAST, ASKED, {"subsampling": "4:4:4"}),
        (Effort.FAST, ASKED, {"icc_profile": display_p3()}),
        (Effort.FAST, ASKED, {"exif": oriented(3)}),
        (Effort.FAST, ASKED, {"image": photo(640, 400).convert("CMYK")}),
        (Effort.BALANCED, ASKED - 4, {"image": LARGE}),
        (Effort.BALANCED, ASKED - 5, {}),
        (Effort.SMALL, 50, {}),
    ],
)
def test_what_may_get_smaller_or_is_to_change_is_encoded(
    encodings: list[int], effort: Effort, quality: int, options: dict[str, Any]
) -> None:
    convert(_jpeg(quality, **options), target(Format.JPG, ASKED, effort))
    assert encodings == [ASKED]


@pytest.mark.parametrize("options", [{"width": 100}, {"sharpen": 1.0}])
def test_what_is_to_look_otherwise_is_encoded(
    encodings: list[int], options: dict[str, Any]
) -> None:
    result = convert(_jpeg(50), target(Format.JPG, ASKED, Effort.FAST, **options))
    assert encodings == [ASKED]
    assert opened(result).width == options.get("width", 640)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_file_that_is_not_whole_is_encoded(encodings: list[int], progressive: bool) -> None:
    """Also where it has an end: only who reads the scans knows."""
    whole = _jpeg(progressive=progressive)
    cut_off = whole[: len(whole) // 2]
    for data in (cut_off, cut_off + b"\xff\xd9", cut_off + whole[len(whole) * 3 // 4 :]):
        encodings.clear()
        convert(data, target(Format.JPG, ASKED))
        assert encodings == [ASKED]


def test_its_metadata_is_gone(encodings: list[int]) -> None:
    exif = Image.Exif()
    exif[0x013B] = "a secret"
    data = _jpeg(exif=exif, comment=b"a secret")
    assert data.count(b"a secret") == 2
    result = convert(data, target(Format.JPG, ASKED))
    assert not encodings
    assert result == _jpeg()
    assert distance(opened(result), opened(data)) == 0
    kept = convert(data, target(Format.JPG, ASKED, keep=["copyright"]))
    assert opened(kept).getexif()[0x013B] == "a secret"

"""The size of a picture, as a server that decodes nothing knows it."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from PIL import Image

from app.core.dimensions import MAX_SEGMENTS, picture_size
from app.core.measures import Size

MAX_PIXELS = 50_000_000
KINDS = {
    "PNG": "image/png",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "JPEG": "image/jpeg",
}


def _saved(format: str, size: tuple[int, int] = (301, 7), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size).save(buffer, format, **options)
    return buffer.getvalue()


def _size(data: bytes, kind: str = "JPEG", max_pixels: int = MAX_PIXELS) -> Size | None:
    return picture_size(io.BytesIO(data), KINDS[kind], max_pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_says_the_size(kind: str) -> None:
    assert _size(_saved(kind), kind) == Size(301, 7)


@pytest.mark.parametrize("kind", KINDS)
def test_where_it_ends_too_early_nothing_is_known(kind: str) -> None:
    data = _saved(kind)
    assert all(_size(data[:end], kind) is None for end in range(8))


def test_a_bitmap_is_as_high_whichever_row_comes_first() -> None:
    data = bytearray(_saved("BMP"))
    struct.pack_into("<i", data, 22, -7)
    assert _size(bytes(data), "BMP") == Size(301, 7)


@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_of_a_jpeg_lies_behind_its_metadata(progressive: bool) -> None:
    data = _saved("JPEG", progressive=progressive)
    metadata = b"\xff\xff\xff\xe1\xff\xff" + bytes(65533)
    assert _size(data[:2] + metadata * 4 + data[2:]) == Size(301, 7)


def test_a_jpeg_of_very_many_segments_is_not_followed_for_ever() -> None:
    data = _saved("JPEG")
    assert _size(data[:2] + b"\xff\xfe\0\2" * MAX_SEGMENTS + data[2:]) is None


def test_what_is_larger_than_any_picture_may_be_is_left_to_the_worker() -> None:
    assert _size(_saved("PNG"), "PNG", 2106) is None
    assert _size(_saved("PNG"), "PNG", 2107) == Size(301, 7)


def test_a_kind_that_is_not_read_here() -> None:
    assert picture_size(io.BytesIO(_saved("TIFF")), "image/tiff", MAX_PIXELS) is None

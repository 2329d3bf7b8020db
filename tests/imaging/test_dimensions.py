"""The size of a picture, as a server that decodes nothing knows it."""

from __future__ import annotations

import io
import struct
from functools import cache
from typing import Any

import numpy as np
import pillow_heif
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from imaging.formats.jpg import MAX_SEGMENTS
from imaging.formats.recognise import HEAD_SIZE, picture_size, picture_type
from imaging.measures import Size
from imaging.read.boxes import MAX_BOX

pillow_heif.register_heif_opener()

MAX_PIXELS = 50_000_000
SIZE = Size(301, 70)


def _saved(format: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (SIZE.width, SIZE.height)).save(buffer, format, **options)
    return buffer.getvalue()


def _vips(suffix: str, **options: Any) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (SIZE.height, SIZE.width, 3), dtype=np.uint8)
    image = pyvips.Image.new_from_array(noise, interpretation="srgb")
    return bytes(image.write_to_buffer(suffix, **options))


def _frames(format: str, **options: Any) -> bytes:
    other = Image.linear_gradient("L").resize((SIZE.width, SIZE.height)).convert("RGB")
    return _saved(format, save_all=True, append_images=[other], duration=100, **options)


FILES = {
    "png": lambda: _saved("PNG"),
    "apng": lambda: _frames("PNG"),
    "gif": lambda: _saved("GIF"),
    "bmp": lambda: _saved("BMP"),
    "jpeg": lambda: _saved("JPEG"),
    "webp": lambda: _saved("WEBP"),
    "webp lossless": lambda: _saved("WEBP", lossless=True),
    "webp with metadata": lambda: _saved("WEBP", "RGBA", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
    "webp animation": lambda: _frames("WEBP"),
    "webp by libvips": lambda: _vips(".webp"),
    "tiff": lambda: _saved("TIFF"),
    "tiff of two pages": lambda: _frames("TIFF"),
    "tiff by libvips": lambda: _vips(".tif"),
    "tiff of tiles": lambda: _vips(".tif", tile=True, pyramid=True, compression="lzw"),
    "bigtiff": lambda: _vips(".tif", bigtiff=True),
    "bigtiff by Pillow": lambda: _saved("TIFF", big_tiff=True),
    "avif": lambda: _saved("AVIF"),
    "avif with alpha": lambda: _saved("AVIF", "RGBA"),
    "avif animation": lambda: _frames("AVIF"),
    "avif by libvips": lambda: _vips(".avif", effort=0),
    "heic": lambda: _saved("HEIF"),
    "heic with alpha": lambda: _saved("HEIF", "RGBA"),
    "heic and its thumbnail": lambda: _saved("HEIF", thumbnails=[64]),
    "jpeg 2000": lambda: _saved("JPEG2000"),
    "jpeg 2000 codestream": lambda: _saved("JPEG2000", no_jp2=True),
}


@cache
def _file(name: str) -> bytes:
    return FILES[name]()


def _kind(data: bytes) -> str:
    kind = picture_type(data[:HEAD_SIZE])
    assert kind is not None
    return kind


def _size(data: bytes, kind: str | None = None, max_pixels: int = MAX_PIXELS) -> Size | None:
    return picture_size(io.BytesIO(data), kind or _kind(data), max_pixels)


@pytest.mark.parametrize("name", FILES)
def test_the_header_says_the_size(name: str) -> None:
    assert _size(_file(name)) == SIZE


@pytest.mark.parametrize("name", FILES)
def test_where_it_ends_too_early_nothing_is_known(name: str) -> None:
    data = _file(name)
    for end in range(0, len(data), 1 + len(data) // 150):
        assert _size(data[:end], _kind(data)) in (None, SIZE)
    assert all(_size(data[:end], _kind(data)) is None for end in range(8))


@pytest.mark.parametrize("name", FILES)
@settings(derandomize=True, deadline=None, database=None, max_examples=40)
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=4),
    near=st.sampled_from([32, 400, 10**9]),
)
def test_broken_bytes_are_a_size_or_nothing(
    name: str, changes: list[tuple[float, bytes]], near: int
) -> None:
    data = bytearray(_file(name))
    for place, content in changes:
        at = int(place * min(near, len(data) - 1))
        data[at : at + len(content)] = content
    size = _size(bytes(data), _kind(_file(name)))
    assert size is None or 0 < size.width * size.height <= MAX_PIXELS


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\x01", b"\0\0\0\x08"])
def test_a_file_of_nothing_behind_its_first_bytes(name: str, filling: bytes) -> None:
    data = _file(name)
    for end in (8, 16, 24, 40):
        broken = data[:end] + filling * 20_000
        size = _size(broken, _kind(data))
        assert size is None or size.width * size.height <= MAX_PIXELS


def test_a_bitmap_is_as_high_whichever_row_comes_first() -> None:
    data = bytearray(_file("bmp"))
    struct.pack_into("<i", data, 22, -70)
    assert _size(bytes(data)) == SIZE


@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_of_a_jpeg_lies_behind_its_metadata(progressive: bool) -> None:
    data = _saved("JPEG", progressive=progressive)
    metadata = b"\xff\xff\xff\xe1\xff\xff" + bytes(65533)
    assert _size(data[:2] + metadata * 4 + data[2:]) == SIZE


def test_a_jpeg_of_very_many_segments_is_not_followed_for_ever() -> None:
    data = _file("jpeg")
    assert _size(data[:2] + b"\xff\xfe\0\2" * MAX_SEGMENTS + data[2:]) is None


def _big_endian_tiff(*entries: tuple[int, int, int, bytes]) -> bytes:
    packed = b"".join(struct.pack(">HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"MM\0*\0\0\0\x08" + struct.pack(">H", len(entries)) + packed + bytes(4)


def test_the_numbers_of_a_tiff_are_of_several_sizes_and_orders() -> None:
    short, long, byte = b"\x01\x2d\0\0", b"\0\0\x01\x2d", b"\x46\0\0\0"
    width, height = 301, 70
    for code, value in ((3, short), (4, long)):
        data = _big_endian_tiff((256, code, 1, value), (257, 1, 1, byte))
        assert _size(data, "image/tiff") == Size(width, height)
    for entry in ((256, 2, 1, short), (256, 3, 2, short), (256, 16, 1, short), (258, 3, 1, short)):
        assert _size(_big_endian_tiff(entry, (257, 1, 1, byte)), "image/tiff") is None


def _grown(data: bytes, by: bytes, path: tuple[bytes, ...]) -> bytes:
    """A file of boxes with these bytes at the end of the last box of the path."""
    out, place = bytearray(data), 0
    for name in path:
        place = out.index(name, place) - 4
        (size,) = struct.unpack_from(">I", out, place)
        struct.pack_into(">I", out, place, size + len(by))
    (size,) = struct.unpack_from(">I", out, place)
    end = place + size - len(by)
    return bytes(out[:end] + by + out[end:])


def _ispe(width: int, height: int) -> bytes:
    return struct.pack(">I4sIII", 20, b"ispe", 0, width, height)


def test_the_size_of_another_picture_in_the_file_does_not_count() -> None:
    data = _grown(_file("avif"), _ispe(4000, 4000), (b"meta", b"iprp", b"ipco"))
    assert _size(data) == SIZE


def test_the_largest_counts_where_none_is_the_primary_picture() -> None:
    data = _grown(_file("avif"), _ispe(4000, 3000), (b"meta", b"iprp", b"ipco"))
    assert _size(data.replace(b"pitm", b"skip")) == Size(4000, 3000)


def test_of_a_picture_that_is_cropped_what_is_shown_counts() -> None:
    data = _file("heic")
    at = data.index(b"clap") + 4
    for wide, size in (((600, 2), Size(300, 70)), ((9999, 1), Size(302, 70)), ((301, 0), None)):
        cropped = bytearray(data)
        struct.pack_into(">II", cropped, at, *wide)
        assert _size(bytes(cropped)) == size


def test_a_box_without_end_is_not_read() -> None:
    free = struct.pack(">I4s", MAX_BOX, b"free") + bytes(MAX_BOX - 8)
    assert _size(_grown(_file("avif"), free, (b"meta",))) is None
    profile = struct.pack(">I4s", MAX_BOX, b"colr") + bytes(MAX_BOX - 8)
    assert _size(_grown(_file("jpeg 2000"), profile, (b"jp2h",))) == SIZE


@pytest.mark.parametrize("name", ["avif", "jpeg 2000"])
def test_a_box_may_have_a_size_of_64_bits(name: str) -> None:
    data = _file(name)
    at = data.index({"avif": b"meta", "jpeg 2000": b"jp2h"}[name]) - 4
    size, kind = struct.unpack_from(">I4s", data, at)
    data = data[:at] + struct.pack(">I4sQ", 1, kind, size + 8) + data[at + 8 :]
    assert _size(data) == SIZE


def test_the_place_of_a_codestream_on_its_grid() -> None:
    data = bytearray(_file("jpeg 2000 codestream"))
    struct.pack_into(">IIII", data, 8, 401, 170, 100, 100)
    assert _size(bytes(data)) == SIZE


def test_what_is_larger_than_any_picture_may_be_is_left_to_the_worker() -> None:
    assert _size(_file("png"), max_pixels=21_069) is None
    assert _size(_file("png"), max_pixels=21_070) == SIZE


def test_a_kind_that_is_not_read_here() -> None:
    assert picture_size(io.BytesIO(_saved("ICO")), "image/x-icon", MAX_PIXELS) is None

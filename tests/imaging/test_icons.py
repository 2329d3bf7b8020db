"""Of the pictures in an icon the best is shown."""

from __future__ import annotations

import struct
from typing import NamedTuple

import pytest
from PIL import Image

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from tests.imaging.samples import pixel, target
from tests.pictures import encoded, opened

LOSSLESS = target(Format.PNG, lossless=True)


class Entry(NamedTuple):
    """A picture, and what the directory says of it."""

    data: bytes
    bits: int
    side: int


def _icon(*entries: Entry) -> bytes:
    at = 6 + 16 * len(entries)
    head, body = struct.pack("<HHH", 0, 1, len(entries)), b""
    for data, bits, side in entries:
        place = at + len(body)
        head += struct.pack("<BBBBHHII", side % 256, side % 256, 0, 0, 1, bits, len(data), place)
        body += data
    return head + body


def _bitmap(colour: tuple[int, int, int], bits: int, side: int) -> Entry:
    """A bitmap as icons have it: without a file header, and with a mask behind it."""
    image = Image.new("RGB", (side, side), colour)
    image = {32: image.convert("RGBA"), 24: image, 8: image.quantize(16)}[bits]
    bitmap = bytearray(encoded(image, "BMP")[14:])
    if bits == 32:  # Pillow writes a header with masks, which an icon has not
        rows = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes("raw", "BGRA")
        bitmap = bytearray(struct.pack("<IiiHHIIiiII", 40, side, side, 1, 32, *[0] * 6) + rows)
    struct.pack_into("<i", bitmap, 8, 2 * side)
    return Entry(bytes(bitmap) + bytes(side * ((side + 31) // 32 * 4)), bits, side)


def _png(colour: tuple[int, int, int], side: int) -> Entry:
    return Entry(encoded(Image.new("RGB", (side, side), colour), "PNG"), 32, side)


RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


@pytest.mark.parametrize(
    "entries",
    [
        [_bitmap(RED, 8, 48), _bitmap(GREEN, 24, 48), _bitmap(BLUE, 32, 16)],
        [_bitmap(GREEN, 32, 48), _bitmap(RED, 24, 48), _bitmap(BLUE, 8, 48)],
        [_bitmap(RED, 32, 32), _bitmap(GREEN, 8, 48)],
        [_bitmap(RED, 24, 48), _png(GREEN, 48), _bitmap(BLUE, 8, 48)],
        [_png(RED, 48), _png(GREEN, 256), _bitmap(BLUE, 32, 48)],
        # The directory is not believed: it has a byte for a side.
        [_bitmap(RED, 32, 128)._replace(side=16), _png(GREEN, 300)._replace(side=16)],
        # One that lies outside of the file is passed over.
        [_bitmap(GREEN, 24, 48), Entry(b"", 32, 0)],
    ],
)
def test_the_largest_is_shown_and_of_these_the_one_of_most_colours(entries: list[Entry]) -> None:
    image = opened(convert(_icon(*entries), LOSSLESS)).convert("RGBA")
    assert pixel(image, (image.width // 2, image.height // 2)) == (*GREEN, 255)


def test_an_icon_stays_one_that_cannot_be_written() -> None:
    data = _icon(_png(GREEN, 64))
    for format in Format:
        assert opened(convert(data, target(format))).size == (64, 64)


@pytest.mark.parametrize(
    "data",
    [_icon(), _icon(_bitmap(RED, 24, 48))[:100], _icon(_png(RED, 48))[:60], b"\0\0\1\0\xff\xff"],
)
def test_a_broken_icon_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(PictureError) as error:
        convert(data, LOSSLESS)
    assert str(error.value).startswith("the picture cannot be ")
    assert " object at 0x" not in str(error.value)

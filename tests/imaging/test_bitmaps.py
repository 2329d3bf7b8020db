"""Bitmaps with bit fields of any layout are shown as they are meant, or refused with a reason."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from imaging.convert import convert
from imaging.errors import TOO_MANY_PIXELS, PictureError
from imaging.formats import Format
from tests.imaging.samples import pixels, target
from tests.imaging.tiffs import Pixels
from tests.pictures import opened

LOSSLESS = target(Format.PNG, lossless=True)

WIDTH, HEIGHT = 37, 23
"""Odd, so that rows of 16 bit have padding."""

BITFIELDS, ALPHABITFIELDS = 3, 6

Masks = tuple[int, ...]

LAYOUTS: dict[str, tuple[int, Masks]] = {
    "16 bit 4-4-4": (16, (0xF00, 0xF0, 0xF)),
    "16 bit 4-4-4-4": (16, (0xF00, 0xF0, 0xF, 0xF000)),
    "16 bit 5-5-5-1": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "16 bit 5-6-5, blue first": (16, (0x1F, 0x7E0, 0xF800)),
    "16 bit 2-3-1": (16, (0x600, 0x70, 0x1)),
    "32 bit 8-8-8, red first": (32, (0xFF, 0xFF00, 0xFF0000)),
    "32 bit 10-10-10": (32, (0x3FF00000, 0xFFC00, 0x3FF)),
    "32 bit 10-10-10-2": (32, (0x3FF, 0xFFC00, 0x3FF00000, 0xC0000000)),
    "32 bit 7-18-7": (32, (0xFE000000, 0x1FFFF80, 0x7F)),
    "32 bit 11-11-10": (32, (0xFFE00000, 0x1FFC00, 0x3FF)),
    "32 bit 6-17-5-4": (32, (0x3F, 0x7FFFC0, 0xF800000, 0xF0000000)),
    "32 bit of 16": (32, (0xF800, 0x7E0, 0x1F)),
}


def _noise(bits: int) -> Pixels:
    """Pixels of which every bit is taken at times, black and white among them."""
    numbers = np.random.default_rng(7).integers(0, 2**bits, (HEIGHT, WIDTH), dtype=np.uint64)
    numbers[0, 0], numbers[0, 1] = 0, 2**bits - 1
    return numbers


def _bitmap(
    numbers: Pixels,
    bits: int,
    masks: Masks,
    *,
    size: int = 40,
    compression: int | None = None,
    top_down: bool = False,
) -> bytes:
    """A file with these pixels.

    Args:
        size: bytes of its header; masks that have no place in it stand behind it.
        compression: ALPHABITFIELDS for four masks behind a header of 40 bytes, unless given.
    """
    height, width = numbers.shape
    if compression is None:
        compression = ALPHABITFIELDS if size == 40 and len(masks) == 4 else BITFIELDS
    packed = numbers if top_down else numbers[::-1]
    padding = b"\xaa" * (-width * bits // 8 % 4)
    rows = b"".join(row.astype(f"<u{bits // 8}").tobytes() + padding for row in packed)
    signed = -height if top_down else height
    head = struct.pack("<IiiHHIIiiII", size, width, signed, 1, bits, compression, 0, 0, 0, 0, 0)
    head = (head + struct.pack(f"<{len(masks)}I", *masks)).ljust(size, b"\0")
    start = 14 + len(head)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + head + rows


def _expected(numbers: Pixels, masks: Masks) -> Pixels:
    """Each value as its share of the largest of its mask, of 255."""
    bands = []
    for mask in masks:
        step = mask & -mask
        values = (numbers & np.uint64(mask)) // np.uint64(step)
        bands.append(np.round(values.astype(float) * 255 / (mask // step)))
    return np.stack(bands, 2).astype(int)


@pytest.mark.parametrize("top_down", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_each_layout_of_bit_fields_is_shown(name: str, top_down: bool) -> None:
    bits, masks = LAYOUTS[name]
    numbers = _noise(bits)
    data = _bitmap(numbers, bits, masks, top_down=top_down)
    image = opened(convert(data, LOSSLESS))
    expected = _expected(numbers, masks)
    assert image.size == (WIDTH, HEIGHT)
    # Fields of more than 16 bits are cut to these first.
    assert np.abs(pixels(image, "RGBA"[: len(masks)]) - expected).max() <= int("18" in name)


WITHOUT_ALPHA, WITH_ALPHA = (0xF00, 0xF0, 0xF), (0xF00, 0xF0, 0xF, 0xF000)


@pytest.mark.parametrize(
    ("size", "masks"),
    [
        *((size, WITHOUT_ALPHA) for size in (52, 56, 108, 124)),
        *((size, WITH_ALPHA) for size in (56, 108, 124)),
    ],
)
def test_the_masks_are_read_from_headers_of_every_version(size: int, masks: Masks) -> None:
    numbers = _noise(16)
    image = opened(convert(_bitmap(numbers, 16, masks, size=size), LOSSLESS))
    assert (pixels(image, "RGBA"[: len(masks)]) == _expected(numbers, masks)).all()


def test_rows_longer_than_65535_bytes_are_whole() -> None:
    numbers = np.tile(np.arange(20_000, dtype=np.uint64) % 1024, (3, 1))
    numbers |= numbers << np.uint64(20)
    masks = (0x3FF00000, 0xFFC00, 0x3FF)
    image = opened(convert(_bitmap(numbers, 32, masks), LOSSLESS))
    assert (pixels(image) == _expected(numbers, masks)).all()


def _changed(at: int, kind: str, value: int) -> bytes:
    data = bytearray(_bitmap(_noise(32), 32, (0x3FF00000, 0xFFC00, 0x3FF)))
    struct.pack_into(kind, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (_changed(54, "<I", 0), "its mask of red has no bits"),
        (_changed(58, "<I", 0x1FFC00), "its mask of green overlaps another one"),
        (_changed(58, "<I", 0), "its mask of green has no bits"),
        (_changed(62, "<I", 0x7FF), "its mask of blue overlaps another one"),
        (_changed(54, "<I", 0x3F700000), "the bits of its mask of red are apart from each other"),
        (
            _bitmap(_noise(16), 16, (0x1F0000, 0x7E0, 0x1F)),
            "its mask of red is outside of the 16 bits of a pixel",
        ),
        (
            _bitmap(_noise(16), 16, (0xF00, 0xF0, 0xF, 0xF00), size=56),
            "its mask of alpha overlaps another one",
        ),
        (_changed(10, "<I", 54), "its pixels are said to begin within its header"),
        (_changed(18, "<i", -37), "a bitmap of -37 × 23 pixels"),
        (_changed(22, "<i", 0), "a bitmap of 37 × 0 pixels"),
        (_changed(22, "<i", 23)[:-100], "100 of the 3404 bytes of its pixels are missing"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError) as error:
        convert(data, LOSSLESS)
    assert str(error.value) == f"the picture cannot be read: {reason}"


@pytest.mark.parametrize(
    ("width", "height"), [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (9000, -(2**31)), (70_000, 1)]
)
def test_the_limits_hold_before_the_pixels_are_looked_at(width: int, height: int) -> None:
    data = bytearray(_changed(18, "<i", width))
    struct.pack_into("<i", data, 22, height)
    with pytest.raises(PictureError, match="allowed") as error:
        convert(bytes(data), LOSSLESS)
    assert error.value.code == TOO_MANY_PIXELS

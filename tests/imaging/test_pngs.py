"""PNGs of every kind, by their pixels."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import oxipng
import pytest
from PIL import Image

from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.png.optimise import run
from tests.imaging.samples import (
    assert_corners,
    corners,
    distance,
    frame_count,
    is_close,
    photo,
    pixel,
    pixels,
    target,
)
from tests.pictures import encoded, opened

LOSSLESS = target(Format.WEBP, lossless=True)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("mode", ["P", "L"])
def test_every_depth_keeps_its_values(mode: str, bits: int) -> None:
    count = 1 << bits
    values = np.arange(64 * 48).reshape(48, 64) * 7 % count
    if mode == "P":
        image = Image.fromarray(values.astype(np.uint8), "P")
        image.putpalette([(n * 89 + shift) % 256 for n in range(count) for shift in (0, 60, 140)])
        data = encoded(image, "PNG", bits=bits)
        assert data[24:26] == bytes((bits, 3))
    else:
        data = _png(values, bits, colour_type=0)
    expected = opened(data).convert("RGB")
    for format in (Format.WEBP, Format.PNG):
        assert distance(opened(convert(data, target(format, lossless=True))), expected) == 0
    # The very same where there are few colours, whatever is asked for.
    assert distance(opened(convert(data, target(Format.PNG, 20))), expected) <= (bits == 8) * 12


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_becomes_8(channels: int) -> None:
    ramp = np.linspace(0, 65535, 64 * 48).reshape(48, 64)
    values = np.stack([ramp, 65535 - ramp, ramp[::-1], 65535 - ramp[::-1]], axis=2)[..., :channels]
    data = _png(values.astype(np.uint16), 16, colour_type={1: 0, 2: 4, 3: 2, 4: 6}[channels])
    result = opened(convert(data, LOSSLESS))
    mode = {1: "RGB", 2: "RGBA", 3: "RGB", 4: "RGBA"}[channels]
    shown = pixels(result, mode)[..., [-1] if channels == 2 else [0]]
    wanted = (values / 257)[..., [1] if channels == 2 else [0]]
    visible = pixels(result, "RGBA")[..., 3:] > 0
    assert np.abs(shown - wanted)[visible].max() <= 1.5


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_one_colour_that_is_transparent(mode: str) -> None:
    """tRNS, which names a colour instead of having an alpha channel."""
    image = Image.new("RGB", (60, 40), (7, 7, 7))
    image.paste((200, 200, 200), (30, 0, 60, 40))
    image = image.quantize(2) if mode == "P" else image.convert(mode)
    transparency = image.getpixel((0, 0))
    data = encoded(image, "PNG", transparency=transparency)
    assert b"tRNS" in data
    result = opened(convert(data, LOSSLESS)).convert("RGBA")
    assert pixel(result, (10, 20))[3] == 0
    assert pixel(result, (45, 20))[3] == 255
    on_white = opened(convert(data, target(Format.JPG)))
    assert is_close(on_white, (10, 20), (255, 255, 255))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_interlaced(mode: str) -> None:
    image = photo(67, 43).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    plain = encoded(image.convert(mode), "PNG")
    data = run(plain, level=0, interlace=oxipng.Interlacing.on, force=True)
    assert data[28] == 1
    mode = "RGBA" if "A" in mode else "RGB"
    assert distance(opened(convert(data, LOSSLESS)), opened(plain), mode) == 0
    assert (
        distance(opened(convert(data, target(Format.PNG, lossless=True))), opened(plain), mode) == 0
    )


@pytest.mark.parametrize("format", [Format.JPG, Format.AVIF])
def test_of_an_apng_the_first_frame_is_taken_where_the_format_has_one(format: Format) -> None:
    frames = [photo().convert(mode) for mode in ("RGB", "L", "1")]
    data = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=100)
    assert b"acTL" in data
    result = convert(data, target(format, lossless=format.can_be_lossless))
    assert distance(opened(result), frames[0]) < 10
    assert frame_count(opened(result)) == 1


def test_of_a_png_that_is_cut_off_what_can_be_read_is_kept() -> None:
    whole = encoded(photo(), "PNG")
    result = opened(convert(whole[: len(whole) // 2], target(Format.PNG, lossless=True)))
    upper = (0, 0, 160, 30)
    assert distance(result.crop(upper), photo().crop(upper)) == 0


def test_a_palette_with_alpha() -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 10, 10))
    data = encoded(image.quantize(8), "PNG")
    result = opened(convert(data, target(Format.PNG)))
    assert_corners(result)
    assert pixel(result.convert("RGBA"), (2, 2))[3] == 0


def _png(values: np.ndarray, bits: int, colour_type: int) -> bytes:
    """A PNG as its specification has it; Pillow cannot write all of them."""
    height, width = values.shape[:2]
    rows = values.reshape(height, -1)
    if bits == 16:
        packed = [row.astype(">u2").tobytes() for row in rows]
    else:
        exponents = [
            [int(value) >> bit & 1 for value in row for bit in range(bits)[::-1]] for row in rows
        ]
        packed = [np.packbits(row).tobytes() for row in exponents]
    raw = b"".join(b"\0" + row for row in packed)
    file = io.BytesIO()
    file.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")):
        file.write(struct.pack(">I", len(content)) + kind + content)
        file.write(struct.pack(">I", zlib.crc32(kind + content)))
    return file.getvalue()

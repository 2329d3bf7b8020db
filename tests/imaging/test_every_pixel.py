"""`lossless` is every pixel, and what there is of a picture is shown and never grows."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from imaging.codec import Encoding
from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.formats import Format
from imaging.formats.jpg.strip import bare
from imaging.formats.webp import by_pillow
from imaging.options import Effort
from tests.imaging.samples import frame_count, photo, pixels, target
from tests.pictures import encoded, opened

LOSSLESS = tuple(format for format in Format if format.can_be_lossless)


def _hidden(width: int = 64, height: int = 48) -> Image.Image:
    """Noise of every colour, below an alpha that goes from nothing to all."""
    rng = np.random.default_rng(7)
    values = rng.integers(0, 256, (height, width, 4), dtype=np.uint8)
    values[: height // 2, :, 3] = 0
    return Image.fromarray(values, "RGBA")


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", LOSSLESS)
def test_colours_below_full_transparency_stay(format: Format, effort: Effort) -> None:
    image = _hidden()
    result = convert(encoded(image, "PNG"), target(format, 0, effort, lossless=True))
    assert (pixels(opened(result), "RGBA") == pixels(image, "RGBA")).all()


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", [Format.WEBP, Format.AVIF])
def test_less_effort_goes_into_a_pixel_of_a_large_picture_without_loss(
    format: Format, effort: Effort, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: dict[int, tuple[int, int]] = {}

    def save(image: pyvips.Image, **settings: Any) -> bytes:
        assert settings["lossless"]
        tried[image.width] = settings["effort"], settings.get("Q", 0)
        return b"data"

    for name in ("webpsave_buffer", "heifsave_buffer"):
        monkeypatch.setattr(pyvips.Image, name, save, raising=False)
    monkeypatch.setattr(by_pillow, "can_write", lambda settings: False)
    for width, height in ((600, 500), (3500, 3400), (7000, 7000)):
        image = pyvips.Image.black(width, height, bands=3).copy(interpretation="srgb")
        WRITERS[format].encode(image, Encoding(0, effort, lossless=True))
    searches = list(tried.values())
    assert searches == sorted(searches, reverse=True)
    # 12 megapixels take 15 s so, and 50 in 17 s (docs/engine.md).
    assert searches[-2:] == ([(1, 50), (1, 0)] if format is Format.WEBP else [(2, 0), (1, 0)])
    assert searches[0][0] > searches[-1][0]


@pytest.mark.parametrize("effort", list(Effort))
def test_colours_below_full_transparency_stay_in_every_frame(effort: Effort) -> None:
    frames = [_hidden().rotate(angle) for angle in (0, 90, 180)]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": 50}
    data = encoded(frames[0], "WEBP", lossless=True, exact=True, **options)
    before = pyvips.Image.webpload_buffer(data, n=-1).numpy()
    result = convert(data, target(Format.WEBP, 0, effort, lossless=True))
    after = pyvips.Image.webpload_buffer(result, n=-1).numpy()
    # A decoder puts frames together, and has nothing below what is clear.
    seen = before[..., 3] > 0
    assert (before[..., 3] == after[..., 3]).all()
    assert (before[seen] == after[seen]).all()


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("format", [Format.WEBP, Format.GIF, Format.PNG, Format.AVIF])
def test_frames_that_are_all_the_same_are_one_picture(format: Format, lossless: bool) -> None:
    data = _gif((2, 2), [(0, 0, 0, 1), (0, 0, 0, 1)], clear=2)
    assert frame_count(opened(data)) == 2
    exact = lossless and format.can_be_lossless
    result = opened(convert(data, target(format, 90, lossless=exact)))
    assert result.size == (2, 2)
    if exact:
        assert pixels(result).tolist() == [[[250, 40, 10]] * 2, [[250, 40, 10], [10, 200, 30]]]


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.JPG, Format.GIF])
def test_the_last_pixels_of_a_gif_without_its_end_code(format: Format) -> None:
    white = b"\x02\x02\x0c\0"  # clear, and colour 1: six bits of eight, and no end code
    data = _screen((1, 1)) + _image((1, 1)) + white + b";"
    shown = opened(convert(data, target(format))).convert("RGBA").getpixel((0, 0))
    assert np.abs(np.array(shown) - (10, 200, 30, 255)).max() < 12


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
@pytest.mark.parametrize(
    ("kind", "format", "options"),
    [
        ("JPEG", Format.JPG, {"quality": 40}),
        ("JPEG", Format.JPG, {"quality": 40, "progressive": True}),
        ("PNG", Format.PNG, {}),
        ("GIF", Format.GIF, {}),
    ],
)
def test_what_was_cut_off_gets_no_larger(
    kind: str, format: Format, options: dict[str, Any], part: float, effort: Effort
) -> None:
    data = encoded(photo(200, 150), kind, **options)
    data = data[: round(len(data) * part)]
    result = convert(data, target(format, 100, effort))
    assert len(result) <= len(data)
    assert pyvips.Image.new_from_buffer(result, "").width == 200


@pytest.mark.parametrize("careful", [False, True])
def test_metadata_of_what_was_cut_off_is_gone(careful: bool) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a secret maker"
    data = encoded(photo(320, 240), "JPEG", quality=40, exif=exif.tobytes(), comment=b"a secret")
    data = data[: len(data) // 3]
    result = convert(data, replace(target(Format.JPG, 100, Effort.SMALL), careful=careful))
    assert len(result) < len(data)
    assert b"secret" not in result


@pytest.mark.parametrize("effort", list(Effort))
def test_arithmetic_coding_gets_no_larger(effort: Effort) -> None:
    data = _arithmetic()
    secret = b"\xff\xfe\0\x0aa secret"
    result = convert(data[:2] + secret + data[2:] + b"behind it", target(Format.JPG, 80, effort))
    assert len(result) <= len(data)
    assert b"secret" not in result
    assert b"behind" not in result
    before, after = (pyvips.Image.jpegload_buffer(one) for one in (data, result))
    assert (before - after).abs().max() <= 40


def test_metadata_between_scans_is_gone() -> None:
    data = encoded(photo(), "JPEG", progressive=True)
    scan = data.rindex(b"\xff\xda")
    marked = data[:scan] + b"\xff\xe5\0\x0aa secret" + data[scan:] + b"behind it"
    assert bare(marked, None, Effort.FAST) == data


def _screen(size: tuple[int, int]) -> bytes:
    table = bytes((250, 40, 10, 10, 200, 30, 0, 0, 0, 255, 255, 255))
    return struct.pack("<6sHHBBB", b"GIF89a", *size, 0x81, 0, 0) + table


def _image(size: tuple[int, int]) -> bytes:
    return struct.pack("<BHHHHB", 0x2C, 0, 0, *size, 0)


def _gif(size: tuple[int, int], frames: list[tuple[int, ...]], clear: int) -> bytes:
    """Frames of the colours 0 to 3, with a clear code before each: no code gets longer."""
    parts = [_screen(size)]
    for frame in frames:
        bits = "".join(f"{code:03b}"[::-1] for colour in frame for code in (4, colour)) + "101"
        packed = int(bits[::-1], 2).to_bytes((len(bits) + 7) // 8, "little")
        parts += [
            b"\x21\xf9\x04" + bytes((0x05, 10, 0, clear)) + b"\0",
            _image(size),
            bytes((2, len(packed))) + packed + b"\0",
        ]
    return b"".join(parts) + b";"


def _arithmetic() -> bytes:
    """A grey JPEG of 128 × 128 in arithmetic coding, every block empty: a scan of two bytes."""
    buffer = io.BytesIO()
    Image.new("L", (128, 128), 128).save(buffer, "JPEG", quality=50)
    plain = buffer.getvalue()
    frame, scan = plain.index(b"\xff\xc0"), plain.index(b"\xff\xda")
    tables = plain.index(b"\xff\xc4")
    assert frame < tables < scan
    return (
        plain[:frame]
        + b"\xff\xc9"
        + plain[frame + 2 : tables]
        + plain[scan : scan + 2 + plain[scan + 3]]
        + b"\0\0"
        + b"\xff\xd9"
    )

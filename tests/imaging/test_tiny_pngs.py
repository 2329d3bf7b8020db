"""A tiny PNG of the usual kind is converted without libvips, to the bytes that it would have."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.measures import Measures
from imaging.options import Effort, Options
from imaging.results import tiny
from imaging.target import Target
from tests.imaging.samples import photo, target
from tests.pictures import encoded

_PHOTO = photo(40, 30)
_NOISE = np.random.default_rng(1).integers(0, 256, (20, 30, 4), np.uint8)


def _see_through(image: Image.Image) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def _few(colours: int) -> Image.Image:
    return _PHOTO.quantize(colours)


def _said(kind: bytes, body: bytes) -> bytes:
    info = PngInfo()
    info.add(kind, body)
    return encoded(_PHOTO, "PNG", pnginfo=info)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(header: bytes, *chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + b"".join(chunks) + _chunk(b"IEND", b"")


def _rows(width: int, height: int, bits: int) -> bytes:
    row = b"\0" + bytes(range(-(-width * bits // 8)))
    return zlib.compress(row * height)


def _of_palette(index: int) -> bytes:
    """Three colours, and a pixel of the one of this index."""
    header = struct.pack(">II5B", 2, 1, 8, 3, 0, 0, 0)
    colours = _chunk(b"PLTE", bytes((255, 0, 0, 0, 255, 0, 0, 0, 255)))
    return _png(header, colours, _chunk(b"IDAT", zlib.compress(bytes((0, 0, index)))))


USUAL: dict[str, bytes] = {
    "colours": encoded(_PHOTO, "PNG"),
    "grey": encoded(_PHOTO.convert("L"), "PNG"),
    "alpha": encoded(_see_through(_PHOTO), "PNG"),
    "grey, alpha": encoded(_see_through(_PHOTO.convert("L")), "PNG"),
    "noise": encoded(Image.fromarray(_NOISE), "PNG"),
    "256 colours": encoded(_few(256), "PNG"),
    "16 colours": encoded(_few(16), "PNG"),
    "3 colours": encoded(_few(3), "PNG"),
    "2 colours": encoded(_few(2), "PNG"),
    "a clear colour": encoded(_few(16), "PNG", transparency=3),
    "colours with alpha": encoded(_few(16), "PNG", transparency=bytes((255, 0, 128, 40))),
    "said to be sRGB": _said(b"sRGB", b"\0"),
    "gamma of sRGB": _said(b"gAMA", struct.pack(">I", 45455)),
    "texts and a resolution": encoded(_PHOTO, "PNG", dpi=(72, 72), pnginfo=PngInfo()),
    "bytes behind it": encoded(_PHOTO, "PNG") + b"\0" * 40,
    "several chunks": encoded(Image.fromarray(_NOISE).resize((127, 129)), "PNG"),
}

_SOUND = USUAL["colours"]
_PIXELS = _SOUND.index(b"IDAT")
_HEADER = struct.Struct(">II5B")


def _broken(at: int) -> bytes:
    data = bytearray(_SOUND)
    data[at] ^= 1
    return bytes(data)


def _animation() -> bytes:
    turned = [_PHOTO.transpose(Image.Transpose.ROTATE_180)]
    return encoded(_PHOTO, "PNG", save_all=True, append_images=turned, duration=100)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(_PHOTO, "PNG", exif=exif)


UNUSUAL: dict[str, bytes] = {
    "16 bit": encoded(Image.fromarray(_NOISE[..., 0].astype(np.uint16) * 257), "PNG"),
    "1 bit": encoded(_PHOTO.convert("1"), "PNG"),
    "interlaced": _png(_HEADER.pack(1, 1, 8, 0, 0, 0, 1), _chunk(b"IDAT", _rows(1, 1, 8))),
    "a colour that is clear": encoded(_PHOTO, "PNG", transparency=_PHOTO.getpixel((0, 0))),
    "an animation": _animation(),
    "turned": _turned(),
    "a profile": encoded(
        _PHOTO, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    ),
    "a gamma": _said(b"gAMA", struct.pack(">I", 100_000)),
    "an unknown chunk": _said(b"quIr", b"k"),
    "a colour beyond the palette": _of_palette(3),
    "more colours than bits name": _png(
        _HEADER.pack(2, 1, 1, 3, 0, 0, 0),
        _chunk(b"PLTE", bytes(range(9))),
        _chunk(b"tRNS", b"\x80\xff\xff"),
        _chunk(b"IDAT", zlib.compress(b"\0\x40")),
    ),
    "one colour": encoded(Image.new("RGB", (20, 20), "teal"), "PNG"),
    "nothing to see": encoded(Image.new("RGBA", (20, 20), (1, 2, 3, 0)), "PNG"),
    "too few rows": _png(_HEADER.pack(9, 9, 8, 2, 0, 0, 0), _chunk(b"IDAT", _rows(9, 8, 24))),
    "too many rows": _png(_HEADER.pack(9, 9, 8, 2, 0, 0, 0), _chunk(b"IDAT", _rows(9, 10, 24))),
    "an unknown filter": _png(
        _HEADER.pack(2, 1, 8, 0, 0, 0, 0), _chunk(b"IDAT", zlib.compress(b"\x07ab"))
    ),
    "no pixels": _png(_HEADER.pack(9, 9, 8, 2, 0, 0, 0)),
    "pixels in two places": _png(
        _HEADER.pack(9, 9, 8, 2, 0, 0, 0),
        _chunk(b"IDAT", _rows(9, 9, 24)[:20]),
        _chunk(b"tEXt", b"a\0b"),
        _chunk(b"IDAT", _rows(9, 9, 24)[20:]),
    ),
    "a wrong checksum of its pixels": _broken(_PIXELS + 30),
    "a wrong checksum of its header": _broken(_SOUND.index(b"IHDR") + 7),
    "cut off": _SOUND[: len(_SOUND) * 2 // 3],
    "without an end": _SOUND[:-12],
    "larger": encoded(photo(129, 128), "PNG"),
    "more pixels than anything holds": _png(
        _HEADER.pack(2**31 - 1, 2**31 - 1, 8, 6, 0, 0, 0), _chunk(b"IDAT", _rows(9, 9, 32))
    ),
}


@pytest.fixture
def by_libvips(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each picture, whether libvips was asked."""
    asked: list[bool] = []
    converted = tiny.converted

    def noted(*given: Any) -> Any:
        done = converted(*given)
        asked.append(done is None)
        return done

    monkeypatch.setattr(tiny, "converted", noted)
    return asked


Outcome = tuple[bytes | str, list[dict[str, Any]]]


def _outcome(data: bytes, wanted: Target) -> Outcome:
    told: list[Measures] = []
    try:
        result: bytes | str = convert(bytearray(data), wanted, told.append)
    except PictureError as error:
        result = str(error)
    return result, [each.to_dict() for each in told[-1:]]


def _outcome_by_libvips(data: bytes, wanted: Target) -> Outcome:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tiny, "converted", lambda *given: None)
        return _outcome(data, wanted)


@pytest.mark.parametrize("quality", [0, 92])
@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("name", USUAL)
def test_a_tiny_png_has_the_bytes_that_libvips_would_give_it(
    by_libvips: list[bool], name: str, effort: Effort, quality: int
) -> None:
    wanted = target(Format.WEBP, quality, effort)
    assert _outcome(USUAL[name], wanted) == _outcome_by_libvips(USUAL[name], wanted)
    assert by_libvips == [False]


@pytest.mark.parametrize("quality", [0, 92])
@pytest.mark.parametrize("data", [*USUAL.values(), *UNUSUAL.values()], ids=[*USUAL, *UNUSUAL])
def test_a_tiny_png_is_the_same_jpeg_by_either(data: bytes, quality: int) -> None:
    wanted = target(Format.JPG, quality, Effort.BALANCED)
    assert _outcome(data, wanted) == _outcome_by_libvips(data, wanted)


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_a_tiny_png_becomes_a_jpeg_without_libvips(by_libvips: list[bool], effort: Effort) -> None:
    data = encoded(_PHOTO, "PNG", dpi=(300, 300))
    wanted = target(Format.JPG, 0, effort)
    assert _outcome(data, wanted) == _outcome_by_libvips(data, wanted)
    assert by_libvips == [False]


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_left_to_libvips(by_libvips: list[bool], name: str) -> None:
    wanted = target(Format.WEBP, 0, Effort.BALANCED)
    assert _outcome(UNUSUAL[name], wanted) == _outcome_by_libvips(UNUSUAL[name], wanted)
    assert by_libvips == [True]


def test_of_a_file_of_few_bytes_and_many_pixels_nothing_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encoded(Image.linear_gradient("L").resize((1000, 800)), "PNG")
    assert len(data) < tiny.MAX_BYTES
    monkeypatch.setattr(zlib, "decompressobj", lambda: pytest.fail("it is inflated"))
    assert tiny.converted(data, target(Format.WEBP)) is None


def _careful(wanted: Target) -> Target:
    return Target(wanted.format, wanted.quality, Limits(), careful=True)


@pytest.mark.parametrize(
    "wanted",
    [
        target(Format.WEBP, width=20),
        target(Format.WEBP, lossless=True),
        target(Format.WEBP, keep=["copyright"]),
        target(Format.WEBP, max_bytes=10_000),
        target(Format.WEBP, placeholder="color"),
        target(Format.WEBP, damaged="refuse"),
        target(Format.PNG),
        target(Format.AVIF),
        _careful(target(Format.WEBP)),
        Target(Format.WEBP, 0, Limits(max_pixels=1199)),
        Target(Format.WEBP, 0, Limits(max_side=39)),
    ],
    ids=str,
)
def test_what_else_is_asked_for_is_left_to_libvips(by_libvips: list[bool], wanted: Target) -> None:
    _outcome(USUAL["colours"], wanted)
    assert by_libvips == [True]


def test_an_effort_that_a_client_asks_for_changes_no_way(by_libvips: list[bool]) -> None:
    options = Options.from_dict({"effort": "small"})
    convert(USUAL["colours"], Target(Format.WEBP, 0, Limits(), Effort.SMALL, options))
    assert by_libvips == [False]


@pytest.mark.parametrize("fails", ["write", "read"])
def test_what_pillow_fails_at_libvips_does(
    monkeypatch: pytest.MonkeyPatch, by_libvips: list[bool], fails: str
) -> None:
    from imaging.formats.webp import by_pillow

    wanted = target(Format.WEBP, 0)
    expected = convert(USUAL["colours"], wanted)
    work: Callable[..., Any] = getattr(by_pillow, fails)
    calls: list[None] = []

    def broken(*given: Any, **named: Any) -> Any:
        calls.append(None)
        if len(calls) == 1:
            raise OSError("broken")
        return work(*given, **named)

    monkeypatch.setattr(by_pillow, fails, broken)
    assert convert(USUAL["colours"], wanted) == expected
    assert Image.open(io.BytesIO(expected)).size == _PHOTO.size

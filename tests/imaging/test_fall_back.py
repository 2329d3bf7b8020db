"""What libvips refuses and Pillow reads is read; what both refuse fails in words."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pillow_heif
import pytest
import pyvips

from imaging.codecs import READERS
from imaging.convert import convert
from imaging.errors import TOO_MANY_PIXELS, PictureError
from imaging.formats import READABLE, Format
from imaging.formats.recognise import picture_type
from imaging.limits import Limits
from imaging.read import pillow
from imaging.target import Target
from tests.imaging.samples import corners, distance, photo, target
from tests.imaging.tiffs import old_jpeg, page
from tests.pictures import encoded, opened

pillow_heif.register_heif_opener()

LOSSLESS = target(Format.PNG, lossless=True)

KINDS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF"]


def _refuse(*args: object, **options: object) -> pyvips.Image:
    raise pyvips.Error("", "there is something about it")


def _refuse_later(*args: object, **options: object) -> pyvips.Image:
    """An image whose header is read, and whose pixels are not."""
    data = encoded(photo(), "PNG")
    return pyvips.Image.pngload_buffer(data[: len(data) // 2], fail_on="truncated")


def _load_by(load: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(READERS, kind, replace(READERS[kind], load=load))


@pytest.mark.parametrize("refuse", [_refuse, _refuse_later])
@pytest.mark.parametrize("kind", KINDS)
def test_what_libvips_refuses_is_read_by_pillow(
    kind: str, refuse: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(photo(), kind)
    media_type = picture_type(data)
    expected = opened(data)
    _load_by(refuse, str(media_type), monkeypatch)
    # The result is opened once too, so that it is of another kind.
    format = Format.WEBP if kind == "PNG" else Format.PNG
    result = opened(convert(data, target(format, lossless=True)))
    assert result.size == (160, 120)
    assert distance(result, expected) < 0.5
    with pytest.raises(PictureError, match="160 × 120 is 19200 pixels") as error:
        convert(data, Target(format, 0, Limits(19_199)))
    assert error.value.code == TOO_MANY_PIXELS


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_an_animation_that_libvips_refuses_does_not_become_one_frame(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(corners(), kind, save_all=True, append_images=[corners().rotate(90)])
    _load_by(_refuse, str(picture_type(data)), monkeypatch)
    with pytest.raises(PictureError, match="there is something about it"):
        convert(data, target(Format.WEBP))
    # A JPEG shows the first frame, whoever reads it.
    assert distance(opened(convert(data, target(Format.JPG, 95))), corners()) < 12


def test_what_a_whole_picture_becomes_does_not_hang_on_the_other_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise AssertionError("Pillow was called")

    monkeypatch.setattr(pillow, "decode", fail)
    for kind in KINDS:
        assert opened(convert(encoded(photo(), kind), LOSSLESS)).size == (160, 120)


def test_a_jpeg_that_is_cut_off_is_still_shown_as_far_as_it_goes() -> None:
    data = encoded(photo(), "JPEG", quality=90)
    result = opened(convert(data[: len(data) // 2], LOSSLESS))
    assert result.size == (160, 120)
    assert distance(result.crop((0, 0, 160, 40)), opened(data).crop((0, 0, 160, 40))) < 1


def test_the_limits_hold_before_the_other_reader_is_called() -> None:
    huge = bytearray(old_jpeg(photo(64, 48)))
    struct.pack_into("<I", huge, huge.index(struct.pack("<HHI", 256, 4, 1)) + 8, 60_000)
    struct.pack_into("<I", huge, huge.index(struct.pack("<HHI", 257, 4, 1)) + 8, 60_000)
    with pytest.raises(PictureError, match="60000 × 60000 is") as error:
        convert(bytes(huge), LOSSLESS)
    assert error.value.code == TOO_MANY_PIXELS


BROKEN = {
    "BMP": b"BM" + bytes(60),
    "BMP cut off": encoded(photo(), "BMP")[:200],
    "ICO of a broken PNG": struct.pack("<HHHBBBBHHII", 0, 1, 1, 0, 0, 0, 0, 1, 32, 88, 22)
    + b"\x89PNG\r\n\x1a\n"
    + bytes(80),
    "ICO": b"\0\0\1\0\1\0" + bytes(16),
    "JPEG2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "JPEG2000 codestream": b"\xff\x4f\xff\x51" + bytes(100),
    "JPEG2000 cut off": encoded(photo(), "JPEG2000")[:300],
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "AVIF": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(40),
    "HEIC cut off": encoded(photo(), "HEIF")[:600],
    "JPEG": b"\xff\xd8\xff\xe0" + bytes(40),
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(40),
    "WEBP": b"RIFF\x20\0\0\0WEBPVP8 " + bytes(40),
    "GIF": b"GIF89a" + bytes(20),
    "TIFF": b"II*\0\x08\0\0\0" + bytes(40),
    "TIFF 12 bit": page(b"", 1, [12]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_nobody_can_read_fails_in_words(name: str) -> None:
    data = BROKEN[name]
    assert picture_type(data) in READABLE
    with pytest.raises(PictureError) as error:
        convert(data, LOSSLESS)
    reason = str(error.value)
    for told in ("object at", "0x", "identify image file", "unpack", "<", "None", "unable to call"):
        assert told not in reason
    assert len(reason.split()) > 4

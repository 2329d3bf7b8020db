"""A result is opened before it counts as done: none is unreadable, none is black for no reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from imaging import convert as conversion
from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.options import Effort, Fit
from imaging.steps import colour
from tests.imaging.samples import corners, photo, target
from tests.pictures import encoded, opened

Encode = Callable[..., bytes]


def _broken(data: bytes) -> bytes:
    """No decoder reads it any more."""
    return data[:4] + bytes(40) + data[44:]


def _of_another_size(data: bytes) -> bytes:
    kind = opened(data).format
    assert kind is not None
    return encoded(photo(80, 60), kind)


@pytest.mark.parametrize("spoil", [_broken, _of_another_size])
@pytest.mark.parametrize("format", list(Format))
def test_what_cannot_be_read_back_is_written_once_more(
    monkeypatch: pytest.MonkeyPatch, format: Format, spoil: Callable[[bytes], bytes]
) -> None:
    encode: Encode = conversion._encode
    efforts: list[Effort] = []

    def once(image: Any, target: Any) -> bytes:
        efforts.append(target.effort)
        data = encode(image, target)
        return spoil(data) if len(efforts) == 1 else data

    monkeypatch.setattr(conversion, "_encode", once)
    data = encoded(photo(), "TIFF")
    result = opened(convert(data, target(format, 80, Effort.BALANCED)))
    assert result.size == (160, 120)
    assert efforts == [Effort.BALANCED, Effort.FAST]


@pytest.mark.parametrize("format", list(Format))
def test_what_cannot_be_read_back_twice_is_never_done(
    monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    encode: Encode = conversion._encode
    monkeypatch.setattr(conversion, "_encode", lambda *given: _broken(encode(*given)))
    with pytest.raises(PictureError, match=f"the {format} that was written"):
        convert(encoded(photo(), "TIFF"), target(format))


@pytest.mark.parametrize("format", [Format.WEBP, Format.GIF, Format.PNG])
def test_more_frames_than_were_meant_are_no_result(
    monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    frames = [photo().rotate(angle) for angle in (0, 3, 6)]
    two = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:2], duration=50)
    three = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50)
    wrong = convert(three, target(format))
    monkeypatch.setattr(conversion, "_encode", lambda *given: wrong)
    with pytest.raises(PictureError):
        convert(two, replace(target(format), careful=True))


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("format", list(Format))
def test_done_and_black_is_failed(
    monkeypatch: pytest.MonkeyPatch, format: Format, value: int
) -> None:
    normalise = colour.to_srgb

    def flat(image: pyvips.Image, **options: Any) -> pyvips.Image:
        return normalise(image, **options) * 0 + value

    def as_bytes(image: pyvips.Image, **options: Any) -> pyvips.Image:
        return flat(image, **options).cast("uchar")

    for mode in ("RGB", "L", "RGBA"):
        data = encoded(corners(160, 120).convert(mode), "TIFF")
        assert convert(data, target(format))
        with monkeypatch.context() as patch:
            patch.setattr(colour, "to_srgb", as_bytes)
            with pytest.raises(PictureError, match="the result is a single colour"):
                convert(data, target(format))
            with pytest.raises(PictureError, match="the result is a single colour"):
                convert(data, target(format, width=80))


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("quality", [1, 90])
def test_a_single_colour_is_a_picture_too(format: Format, quality: int) -> None:
    for image in (
        Image.new("RGB", (200, 150), (9, 80, 200)),
        Image.new("RGBA", (200, 150), (9, 80, 200, 0)),
        Image.new("L", (1, 1), 0),
        # White on nothing, which a JPEG has on white.
        _white_drawing(),
    ):
        assert convert(encoded(image, "PNG"), target(format, quality))


@pytest.mark.parametrize("format", [Format.JPG, Format.WEBP])
@pytest.mark.parametrize("width", [1, 2, 3, 5, 8])
def test_a_long_and_narrow_picture_of_few_bytes_can_be_decoded(format: Format, width: int) -> None:
    line = Image.linear_gradient("L").resize((width, 16_000))
    for image in (line, line.transpose(Image.Transpose.ROTATE_90), line.point(lambda value: 9)):
        result = convert(encoded(image, "PNG"), target(format, 80, Effort.FAST))
        assert opened(result).size == image.size


@pytest.mark.parametrize("format", list(Format))
def test_a_part_or_an_average_may_be_a_single_colour(format: Format) -> None:
    image = Image.new("RGB", (200, 100), (250, 250, 250))
    image.paste((0, 0, 0), (0, 0, 60, 100))
    data = encoded(image, "PNG")
    assert convert(data, target(format, width=50, height=100, fit="cover"))
    assert convert(data, target(format, width=1, height=1, fit="fill"))
    checks = np.indices((128, 128)).sum(axis=0) % 2 * 255
    fine = Image.fromarray(checks.astype(np.uint8))
    assert convert(encoded(fine, "PNG"), target(format, 1))
    assert convert(encoded(fine, "PNG"), target(format, width=32))


def _white_drawing() -> Image.Image:
    image = Image.new("RGBA", (200, 150), (255, 255, 255, 0))
    image.paste((255, 255, 255, 255), (50, 50, 150, 100))
    return image


_BEFORE_ITS_PIXELS = {
    "PNG": encoded(photo(), "PNG")[:120],
    "PNG with noise": encoded(photo(), "PNG")[:60] + bytes(range(200)) * 3,
    "TIFF": encoded(photo(), "TIFF")[:400],
    "TIFF of strips": encoded(photo(), "TIFF", compression="tiff_lzw")[:10] + bytes(500),
}


@pytest.mark.parametrize("fit", [None, Fit.COVER])
@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("name", _BEFORE_ITS_PIXELS)
def test_a_file_that_ends_before_its_pixels_is_no_black_picture(
    name: str, format: Format, fit: Fit | None
) -> None:
    size: dict[str, Any] = {} if fit is None else {"width": 20, "height": 20, "fit": fit}
    with pytest.raises(PictureError, match="cannot be read"):
        convert(_BEFORE_ITS_PIXELS[name], target(format, 80, **size))


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP", "GIF", "BMP", "JPEG2000"])
def test_a_picture_of_a_night_is_black(kind: str) -> None:
    night = encoded(Image.new("RGB", (160, 120)), kind)
    assert opened(convert(night, target(Format.WEBP))).convert("RGB").getextrema() == ((0, 0),) * 3

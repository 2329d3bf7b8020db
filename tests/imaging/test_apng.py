"""An animated PNG stays animated, and is shown as the specification of PNG says."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from imaging.convert import convert
from imaging.errors import TOO_MANY_PIXELS, PictureError
from imaging.formats import Format
from imaging.formats.png import SIGNATURE
from imaging.formats.recognise import HEAD_SIZE, picture_type
from imaging.limits import Limits
from imaging.options import Effort
from imaging.target import Target
from tests.imaging.animations import frames_seen
from tests.imaging.apngs import Part, apng, chunk
from tests.imaging.samples import corners, distance, frame_count, is_close, photo, pixel, target
from tests.pictures import encoded, opened

MOVING = (Format.PNG, Format.WEBP, Format.GIF)
RED, GREEN, BLUE, CLEAR = (220, 30, 30, 255), (30, 200, 30, 255), (30, 30, 220, 255), (0, 0, 0, 0)
HALF = (30, 200, 30, 128)
KEEP, BACKGROUND, PREVIOUS = 0, 1, 2
SOURCE, OVER = 0, 1


def _flat(colour: tuple[int, ...], width: int = 40, height: int = 30) -> Image.Image:
    return Image.new("RGBA", (width, height), colour)


def _ball(kept: int = 4) -> list[Part]:
    """A square that moves over four corners, each frame whole."""
    parts = []
    for number in range(kept):
        frame = corners(80, 60).convert("RGBA")
        frame.paste((250, 240, 20, 255), (number * 20, 10, number * 20 + 20, 30))
        parts.append(Part(frame, number=number + 1, of=20))
    return parts


def _frames_of(data: bytes) -> tuple[list[Image.Image], list[int]]:
    return frames_seen(opened(data))


def _seen(image: Image.Image) -> NDArray[np.int32]:
    """Its colours as far as they are seen."""
    values = np.asarray(image.convert("RGBA"), dtype=np.int32)
    return np.where(values[..., 3:] > 0, values, 0)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", MOVING)
def test_frames_delays_and_loops_stay(format: Format, effort: Effort) -> None:
    parts = _ball()
    data = apng(parts, plays=3)
    result = convert(data, target(format, 90, effort))
    frames, delays = _frames_of(result)
    assert delays == [50, 100, 150, 200]
    assert opened(result).info["loop"] == (2 if format is Format.GIF else 3)
    for frame, part in zip(frames, parts, strict=True):
        assert distance(frame, part.image) < 6
    if format is Format.PNG:
        assert len(result) < len(data)
        assert picture_type(result[:HEAD_SIZE]) == "image/apng"


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("effort", list(Effort))
def test_it_never_gets_larger(effort: Effort, lossless: bool) -> None:
    for parts in (_ball(), [Part(photo().rotate(angle).convert("RGBA")) for angle in (0, 5, 9)]):
        data = apng(parts)
        once = convert(data, target(Format.PNG, 0, effort, lossless=lossless))
        assert len(once) < len(data)
        again = convert(once, target(Format.PNG, 0, effort, lossless=lossless))
        assert len(again) <= len(once)
        assert len(_frames_of(again)[0]) == len(parts)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP])
def test_lossless_is_every_pixel_of_every_frame(format: Format, effort: Effort) -> None:
    rng = np.random.default_rng(5)
    noise = [
        Image.fromarray(rng.integers(0, 256, (30, 40, 4), dtype=np.uint8), "RGBA") for _ in range(3)
    ]
    for images in (noise, [_flat(RED), _flat(GREEN), _flat(HALF)]):
        data = apng([Part(image) for image in images])
        frames, _ = _frames_of(convert(data, target(format, 0, effort, lossless=True)))
        for frame, image in zip(frames, images, strict=True):
            assert (_seen(frame) == _seen(image)).all()


# Of a red canvas: a green square comes in the second frame, a blue one in the third.
@pytest.mark.parametrize(
    ("dispose", "place_then"),
    [(KEEP, GREEN), (BACKGROUND, CLEAR), (PREVIOUS, RED)],
)
@pytest.mark.parametrize("format", MOVING)
def test_what_becomes_of_a_frame_before_the_next(
    format: Format, dispose: int, place_then: tuple[int, ...]
) -> None:
    square = _flat(GREEN, 10, 10)
    data = apng(
        [
            Part(_flat(RED)),
            Part(square, 5, 5, dispose=dispose),
            Part(_flat(BLUE, 10, 10), 25, 15),
        ]
    )
    frames, _ = _frames_of(convert(data, _lossless(format)))
    assert is_close(frames[1], (10, 10), GREEN)
    assert is_close(frames[1], (30, 20), RED)
    assert is_close(frames[2], (30, 20), BLUE)
    if place_then == CLEAR:
        assert pixel(frames[2], (10, 10))[3] == 0
    else:
        assert is_close(frames[2], (10, 10), place_then)


def test_a_first_frame_cannot_be_as_it_was_before() -> None:
    data = apng([Part(_flat(RED), dispose=PREVIOUS), Part(_flat(GREEN, 10, 10))])
    frames, _ = _frames_of(convert(data, _lossless(Format.PNG)))
    assert is_close(frames[1], (5, 5), GREEN)
    assert pixel(frames[1], (30, 20))[3] == 0


@pytest.mark.parametrize(
    ("blend", "half", "clear"),
    [(SOURCE, HALF, CLEAR), (OVER, (125, 115, 30, 255), RED)],
)
@pytest.mark.parametrize("format", [Format.PNG, Format.WEBP])
def test_how_a_frame_lies_on_what_is_there(
    format: Format, blend: int, half: tuple[int, ...], clear: tuple[int, ...]
) -> None:
    part = _flat(HALF, 20, 10)
    part.paste(CLEAR, (10, 0, 20, 10))
    data = apng([Part(_flat(RED)), Part(part, 10, 10, blend=blend)])
    _, second = _frames_of(convert(data, _lossless(format)))[0]
    assert is_close(second, (15, 15), half, by=2)
    assert is_close(second, (5, 5), RED)
    if clear == CLEAR:
        assert pixel(second, (25, 15))[3] == 0
    else:
        assert is_close(second, (25, 15), clear)


@pytest.mark.parametrize("format", MOVING)
def test_the_default_picture_is_not_a_frame(format: Format) -> None:
    data = apng([Part(_flat(RED)), Part(_flat(GREEN))], default=_flat(BLUE))
    frames, _ = _frames_of(convert(data, target(format)))
    assert len(frames) == 2
    assert is_close(frames[0], (5, 5), RED)


@pytest.mark.parametrize("format", [Format.JPG, Format.AVIF])
def test_a_format_without_frames_shows_the_default_picture(format: Format) -> None:
    data = apng([Part(_flat(RED)), Part(_flat(GREEN))], default=_flat(BLUE))
    assert is_close(opened(convert(data, target(format))), (5, 5), BLUE)


@pytest.mark.parametrize("format", MOVING)
def test_frames_of_a_single_colour_are_not_held_against_the_default_picture(format: Format) -> None:
    data = apng([Part(_flat(RED)), Part(_flat(GREEN))], default=photo(40, 30))
    frames, _ = _frames_of(convert(data, target(format)))
    assert is_close(frames[0], (5, 5), RED)
    assert is_close(frames[1], (5, 5), GREEN)


@pytest.mark.parametrize("format", MOVING)
def test_a_frame_of_hundredths_that_are_not_said(format: Format) -> None:
    """A denominator of 0 is one of 100."""
    data = apng([Part(_flat(RED), number=7, of=0), Part(_flat(GREEN), number=9, of=0)])
    assert _frames_of(convert(data, target(format)))[1] == [70, 90]


def test_frames_that_are_the_same_become_one_that_is_shown_longer() -> None:
    data = apng([Part(_flat(RED)), Part(_flat(RED)), Part(_flat(GREEN))])
    assert _frames_of(convert(data, target(Format.PNG)))[1] == [200, 100]


@pytest.mark.parametrize("fit", ["inside", "cover", "contain", "fill"])
@pytest.mark.parametrize("format", MOVING)
def test_every_frame_is_resized(format: Format, fit: str) -> None:
    parts = _ball()
    data = apng(parts)
    result = convert(data, target(format, 90, width=40, height=30, fit=fit))
    frames, delays = _frames_of(result)
    assert delays == [50, 100, 150, 200]
    for frame, part in zip(frames, parts, strict=True):
        assert frame.size == (40, 30)
        assert distance(frame, part.image.resize((40, 30), Image.Resampling.LANCZOS)) < 9


@pytest.mark.parametrize("format", MOVING)
def test_16_bit_and_a_header_far_back_are_no_matter(format: Format) -> None:
    """acTL lies behind the bytes that are looked at to tell the kind of file."""
    text = chunk(b"tEXt", b"Comment\0" + b"a secret " * 1000)
    data = apng(_ball(), bits=16, extra=text)
    assert picture_type(data[:HEAD_SIZE]) == "image/png"
    result = convert(data, target(format))
    assert len(_frames_of(result)[0]) == 4
    assert b"secret" not in result


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_a_png_of_another_animation_is_its_first_frame(kind: str) -> None:
    frames = [_flat(RED), _flat(GREEN)]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    result = opened(convert(data, target(Format.PNG)))
    assert frame_count(result) == 1
    assert is_close(result, (5, 5), RED)


@pytest.mark.parametrize("format", MOVING)
def test_of_a_file_that_was_cut_off_the_whole_frames_are_shown(format: Format) -> None:
    parts = _ball()
    data = apng(parts)
    data = data[: data.rindex(b"fdAT") + 100]
    result = convert(data, target(format))
    assert len(_frames_of(result)[0]) == 3
    if format is Format.PNG:
        assert len(result) <= len(data)


@pytest.mark.parametrize("format", MOVING)
@pytest.mark.parametrize("place", [(31, 0), (0, 21), (2**32 - 5, 0)])
def test_a_frame_that_is_not_on_the_canvas_is_refused(
    format: Format, place: tuple[int, int]
) -> None:
    data = apng([Part(_flat(RED)), Part(_flat(GREEN, 10, 10), *place)])
    with pytest.raises(PictureError, match=r"a frame of 10 × 10 at .* is not within its 40 × 30"):
        convert(data, target(format))


def test_frames_count_before_they_are_decoded() -> None:
    parts = [Part(_flat(RED, 1, 1)) for _ in range(5)]
    data = apng(parts, default=_flat(BLUE), size=(40, 30))
    with pytest.raises(PictureError, match="40 × 30 × 5 frames is 6000 pixels") as error:
        convert(data, Target(Format.WEBP, 0, Limits(5999)))
    assert error.value.code == TOO_MANY_PIXELS
    assert convert(data, Target(Format.JPG, 0, Limits(1200)))
    with pytest.raises(PictureError, match="has 5 frames, more than the 4 allowed"):
        convert(data, Target(Format.PNG, 0, Limits(max_frames=4)))


def test_a_number_of_frames_that_is_not_true_is_no_matter() -> None:
    data = bytearray(apng(_ball()))
    at = data.index(b"acTL") + 4
    struct.pack_into(">I", data, at, 900)
    assert len(_frames_of(convert(bytes(data), target(Format.WEBP)))[0]) == 4


def _lossless(format: Format) -> Target:
    return target(format, 0, lossless=True) if format.can_be_lossless else target(format)


def test_a_png_is_an_animation_if_it_says_so_before_its_pixels() -> None:
    ihdr, idat, actl = chunk(b"IHDR", bytes(13)), chunk(b"IDAT", b"x"), chunk(b"acTL", bytes(8))
    heads = {
        SIGNATURE + ihdr + idat: "image/png",
        SIGNATURE + ihdr + actl + idat: "image/apng",
        SIGNATURE + ihdr + chunk(b"tEXt", b"k\0acTL") + idat: "image/png",
        SIGNATURE + ihdr + idat + actl: "image/png",
    }
    assert {head: picture_type(head) for head in heads} == heads

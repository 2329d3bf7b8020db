"""JPEG XL, read and written, and JPEGs that are packed into one and come again."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bench.launch import ROOT
from imaging.convert import convert
from imaging.decode import decode
from imaging.errors import DAMAGED, TOO_MANY_PIXELS, PictureError
from imaging.formats import Format
from imaging.formats.jxl import size
from imaging.limits import Limits
from imaging.measures import Measures
from imaging.options import Damaged, Effort, Keep
from imaging.target import Target
from tests.imaging import jxls
from tests.imaging.animations import DELAYS, animation, frames_seen, moving_frames
from tests.imaging.inks import inked
from tests.imaging.profiles import display_p3, green_for_cyan
from tests.imaging.samples import (
    assert_corners,
    corners,
    distance,
    is_close,
    oriented,
    photo,
    pixel,
    pixels,
    stored,
    target,
)
from tests.pictures import encoded, opened, photograph

WITHOUT = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "pylibjxl" else found(name, *more)
from imaging import libvips
from imaging.formats import Format, parse_format
from imaging.formats.recognise import readable_type
print(*Format, libvips.fault())
for ask in (lambda: parse_format("jxl"), lambda: readable_type(bytes((255, 10)))):
    try:
        ask()
    except ValueError as error:
        print(error)
"""
"""What a machine says on which the wheel is not installed."""


def _jxl(image: Image.Image, **options: Any) -> bytes:
    return convert(encoded(image, "PNG"), target(Format.JXL, 0, lossless=True, **options))


def _shown(data: bytes) -> Image.Image:
    return opened(convert(data, target(Format.PNG, 0, lossless=True)))


def _transparent(mode: str) -> Image.Image:
    image = photo(96, 64).convert(mode)
    alpha = Image.fromarray((np.mgrid[:64, :96][1] * 2).astype(np.uint8))
    image.putalpha(alpha)
    return image


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_without_loss_every_pixel_comes_again(mode: str, effort: Effort) -> None:
    image = _transparent(mode) if mode.endswith("A") else photo(96, 64).convert(mode)
    data = convert(encoded(image, "PNG"), target(Format.JXL, 0, effort, lossless=True))
    assert size(io.BytesIO(data)) == (96, 64)
    assert np.array_equal(pixels(_shown(data), mode), pixels(image, mode))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_less_quality_is_fewer_bytes_and_less_like_it(mode: str) -> None:
    image = _transparent(mode) if mode.endswith("A") else photo(96, 64).convert(mode)
    files = [convert(encoded(image, "PNG"), target(Format.JXL, q)) for q in (95, 70, 30)]
    assert sorted(files, key=len, reverse=True) == files
    looks = [distance(_shown(data).convert(mode), image, mode) for data in files]
    assert sorted(looks) == looks
    assert looks[0] < 2.5


@pytest.mark.parametrize(
    ("data", "width"),
    [
        (jxls.PROGRESSIVE, 16),
        (jxls.MODULAR, 16),
        (jxls.BOXES, 16),
        (jxls.TURNED, 48),
        (jxls.OF_A_JPEG, 48),
    ],
)
def test_what_another_program_wrote_is_shown(data: bytes, width: int) -> None:
    image = _shown(data)
    assert image.width == width
    assert_corners(image, by=30)


def test_grey_depth_and_transparency_of_another_program_are_read() -> None:
    assert distance(_shown(jxls.TRANSPARENT), corners(16, 12)) == 0
    assert _shown(jxls.TRANSPARENT).convert("RGBA").getchannel("A").getextrema() == (0, 235)
    source = decode(jxls.DEEP, Limits())
    assert source.image.format == "ushort"
    assert [int(source.image.getpoint(x, 0)[0]) for x in (0, 1, 15)] == [0, 4369, 65_535]
    assert _shown(jxls.GREY).mode == "L"


def test_an_animation_of_another_program_moves() -> None:
    frames, delays = frames_seen(opened(convert(jxls.MOVING, target(Format.WEBP, lossless=True))))
    assert delays == DELAYS
    assert distance(frames[0], corners(16, 12)) == 0
    assert distance(frames[1], corners(16, 12).transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0
    assert opened(convert(jxls.MOVING, target(Format.PNG))).format == "PNG"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
@pytest.mark.parametrize("lossless", [True, False])
def test_an_animation_stays_one(kind: str, lossless: bool) -> None:
    data = animation(kind, loop=3)
    result = convert(data, target(Format.JXL, 0 if lossless else 90, lossless=lossless))
    back = convert(result, target(Format.WEBP, 0, lossless=True))
    (frames, delays), (before, _) = frames_seen(opened(back)), frames_seen(opened(data))
    assert delays == DELAYS
    for frame, wanted in zip(frames, before, strict=True):
        assert distance(frame, wanted) <= (0 if lossless else 6)


def test_a_part_that_moves_is_all_that_a_frame_takes() -> None:
    still = [photo(160, 120) for _ in range(4)]
    for number, frame in enumerate(still):
        frame.paste((255, 0, 0), (number * 20, 10, number * 20 + 10, 20))
    one = len(convert(encoded(still[0], "PNG"), target(Format.JXL, 0, lossless=True)))
    moving = convert(animation("WEBP", frames=still), target(Format.JXL, 0, lossless=True))
    assert len(moving) < 1.3 * one


@pytest.mark.parametrize("name", ["rocket", "coffee"])
@pytest.mark.parametrize("effort", list(Effort))
def test_a_jpeg_without_loss_is_smaller_and_comes_again_byte_for_byte(
    name: str, effort: Effort
) -> None:
    jpeg = photograph(name) if name == "rocket" else encoded(photo(200, 150), "JPEG", quality=90)
    packed = convert(jpeg, target(Format.JXL, 0, effort, lossless=True))
    assert len(packed) < 0.95 * len(jpeg)
    assert convert(packed, target(Format.JPG, 80)) == jpeg
    assert distance(_shown(packed), _shown(jpeg)) < 1.5


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 30}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_kind_of_jpeg_comes_again(mode: str, options: dict[str, Any]) -> None:
    exif = oriented(6)
    exif[0x010F] = "A maker"
    image = stored(photo(120, 90), 6).convert(mode)
    jpeg = encoded(image, "JPEG", exif=exif.tobytes(), comment=b"a comment", **options)
    packed = convert(jpeg, target(Format.JXL, 0, lossless=True))
    assert _shown(packed).size == (120, 90)
    assert convert(packed, target(Format.JPG, 80)) == jpeg


def test_another_quality_or_a_size_is_a_jpeg_of_its_own() -> None:
    jpeg = photograph("rocket")
    packed = convert(jpeg, target(Format.JXL, 0, lossless=True))
    assert len(convert(packed, target(Format.JPG, 40))) < 0.5 * len(jpeg)
    assert opened(convert(packed, target(Format.JPG, 80, width=64))).width == 64
    small = convert(jpeg, target(Format.JXL, 0, lossless=True, width=64))
    assert size(io.BytesIO(small)) == (64, 43)
    assert convert(small, target(Format.JPG, 80)) != jpeg


def test_a_packed_jpeg_whose_quality_is_to_be_found_is_treated_as_that_jpeg() -> None:
    jpeg = encoded(photo(400, 300), "JPEG", quality=95)
    packed = convert(jpeg, target(Format.JXL, 0, lossless=True))
    wanted, told = target(Format.JPG, 0, q="auto"), list[Measures]()
    data = convert(packed, wanted, told.append)
    assert told[-1].chosen is not None
    assert len(data) < 0.7 * len(jpeg)
    assert len(data) == pytest.approx(len(convert(jpeg, wanted)), rel=0.05)
    poor = encoded(photo(400, 300), "JPEG", quality=30)
    again = convert(convert(poor, target(Format.JXL, 0, lossless=True)), wanted)
    assert len(again) <= len(poor), "no larger than the JPEG that is in it"


def test_what_keep_names_is_all_the_metadata_that_a_packed_jpeg_has() -> None:
    exif = oriented(1)
    exif[0x8298], exif[0x010F] = "Somebody", "A secret maker"
    jpeg = encoded(photo(120, 90), "JPEG", exif=exif.tobytes(), comment=b"a secret comment")
    packed = convert(jpeg, target(Format.JXL, 0, lossless=True, keep=["copyright"]))
    back = opened(convert(packed, target(Format.JPG, 80)))
    assert dict(back.getexif()) == {0x8298: "Somebody"}
    for file in (packed, convert(packed, target(Format.JPG, 80))):
        assert b"secret" not in file
    assert distance(back, opened(jpeg)) == 0


def test_a_jpeg_that_cannot_be_packed_is_written_pixel_by_pixel() -> None:
    jpeg = encoded(photo(64, 48).convert("CMYK"), "JPEG", quality=90)
    data = convert(jpeg, target(Format.JXL, 0, lossless=True))
    assert distance(_shown(data), _shown(jpeg)) == 0
    cut = encoded(photo(160, 120), "JPEG", quality=90)[:-900]
    data = convert(cut, target(Format.JXL, 0, lossless=True))
    assert distance(_shown(data), _shown(cut)) == 0


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("format", list(Format))
def test_inks_are_seen_through_their_profile(format: Format, bits: int) -> None:
    image = Image.new("CMYK", (80, 60), (0, 0, 0, 0))
    image.paste((255, 0, 0, 0), (0, 0, 40, 60))
    image.paste((0, 0, 0, 255), (0, 40, 80, 60))
    data = inked(image, green_for_cyan(), bits=bits)
    result = opened(convert(data, target(format, 95)))
    if format is Format.JXL:  # its own pixels may be the result
        result = opened(convert(data, target(format, 95, width=79)))
    assert is_close(result, (20, 20), (0, 169, 42), by=20)  # Lab 60 -60 50 in sRGB
    assert is_close(result, (60, 20), (255, 255, 255), by=8)
    assert is_close(result, (60, 50), (48, 48, 48), by=20)
    assert "icc_profile" not in result.info


def test_inks_with_alpha_are_seen() -> None:
    image = Image.new("CMYK", (80, 60), (0, 255, 255, 0))
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (0, 0, 40, 60))
    data = inked(image, green_for_cyan(), alpha=alpha)
    result = opened(convert(data, target(Format.PNG, lossless=True))).convert("RGBA")
    assert pixel(result, (20, 20))[3] == 0
    assert pixel(result, (60, 20))[3] == 255
    assert is_close(result.convert("RGB"), (60, 20), (48, 48, 48), by=20)  # Lab 20 0 0


def test_inks_look_the_same_in_their_own_format_and_are_refused_where_they_were_cut_off() -> None:
    data = inked(photo(64, 48).convert("CMYK"), green_for_cyan())
    result = convert(data, target(Format.JXL, 0, lossless=True))
    assert len(result) <= len(data)
    seen, wanted = (
        opened(convert(each, target(Format.PNG, 0, lossless=True))) for each in (result, data)
    )
    assert seen.tobytes() == wanted.tobytes()
    with pytest.raises(PictureError, match="cannot be read"):
        convert(data[: len(data) // 2], target(Format.PNG))


def test_metadata_is_dropped_but_what_keep_names() -> None:
    exif = Image.Exif()
    exif[0x8298] = "Somebody"
    profile = display_p3()
    data = encoded(photo(), "PNG", exif=exif.tobytes(), icc_profile=profile)
    bare = convert(data, target(Format.JXL))
    assert b"Exif" not in bare
    kept = convert(data, target(Format.JXL, keep=["copyright", "icc"]))
    again = convert(kept, target(Format.PNG, keep=["copyright", "icc"]))
    assert opened(again).getexif()[0x8298] == "Somebody"
    assert opened(again).info["icc_profile"]
    stripped = convert(kept, target(Format.JXL, 0))
    assert b"Exif" not in stripped
    assert b"Exif" in convert(kept, target(Format.JXL, 0, keep=["copyright"]))


def test_in_its_own_format_it_never_gets_larger() -> None:
    for data in (jxls.PROGRESSIVE, jxls.MODULAR, jxls.BOXES, jxls.TURNED, jxls.MOVING):
        for lossless in (True, False):
            result = convert(data, target(Format.JXL, 0 if lossless else 100, lossless=lossless))
            assert len(result) <= len(data)
            assert _shown(result).size == _shown(data).size


@pytest.mark.parametrize(
    "wanted",
    [(1, 1), (8, 8), (256, 256), (8, 16), (300, 300), (400, 300), (1, 4000), (520, 3), (513, 1023)],
)
def test_the_header_tells_the_size(wanted: tuple[int, int]) -> None:
    data = _jxl(Image.new("L", wanted, 90))
    assert size(io.BytesIO(data)) == wanted
    boxed = convert(data, target(Format.JXL, 0, lossless=True)) + b""
    head, box = b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
    part = struct.pack(">I4sI", len(boxed) + 12, b"jxlp", 1 << 31) + boxed
    assert size(io.BytesIO(head + box + part)) == wanted
    assert _shown(head + box + part).size == wanted


def test_a_bomb_is_refused_before_its_pixels() -> None:
    """A header of twelve bytes that promises 2^30 × 2^30 pixels, or a thousand frames."""
    bits = 0 | 3 << 1 | (2**30 - 1) << 3 | 0 << 33 | 3 << 36 | (2**30 - 1) << 38
    data = b"\xff\x0a" + bits.to_bytes(9, "little") + bytes(200)
    assert size(io.BytesIO(data)) == (2**30, 2**30)
    with pytest.raises(PictureError, match=f"{2**30} × {2**30}") as refused:
        convert(data, target(Format.WEBP))
    assert refused.value.code == TOO_MANY_PIXELS
    large = convert(encoded(Image.new("L", (3000, 2000), 7), "PNG"), target(Format.JXL))
    assert len(large) < 5000
    with pytest.raises(PictureError, match="6000000 pixels") as refused:
        convert(large, Target(Format.WEBP, 0, Limits(max_pixels=1_000_000)))
    assert refused.value.code == TOO_MANY_PIXELS
    frames = convert(animation("GIF"), target(Format.JXL))
    with pytest.raises(PictureError, match="4 frames") as refused:
        convert(frames, Target(Format.WEBP, 0, Limits(max_frames=3)))
    assert refused.value.code == TOO_MANY_PIXELS


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_small_one_that_ends_too_early_is_refused(share: float, lossless: bool) -> None:
    """It is in one part, of which nothing is shown before all of it is there."""
    data = convert(encoded(photo(), "PNG"), target(Format.JXL, 0, lossless=lossless))
    with pytest.raises(PictureError, match="the file ends too early"):
        convert(data[: int(share * len(data))], target(Format.WEBP))


@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("format", [Format.PNG, Format.JXL])
def test_a_file_that_ends_too_early_is_shown_as_far_as_it_goes(format: Format, boxed: bool) -> None:
    picture = photo(640, 480)
    kept = target(Format.JXL, 90, keep=(Keep.COPYRIGHT,) if boxed else ())
    exif = oriented(1)
    exif[0x8298] = "Somebody"
    whole = convert(encoded(picture, "JPEG", quality=97, exif=exif.tobytes()), kept)
    assert (whole[:2] != b"\xff\x0a") == boxed
    cut = whole[: int(0.7 * len(whole))]
    shown = _shown(convert(cut, target(format, 95)))
    assert shown.size == (640, 480)
    assert distance(shown.resize((80, 60)), picture.resize((80, 60))) < 8, "in less detail"
    assert _shown(convert(cut, target(format, 95, width=1))).size == (1, 1)
    with pytest.raises(PictureError, match="the file ends too early") as refused:
        convert(cut, target(format, 95, damaged=Damaged.REFUSE))
    assert refused.value.code == DAMAGED


def test_parts_that_are_there_are_shown_without_loss() -> None:
    picture = photo(640, 480)
    whole = convert(encoded(picture, "PNG"), target(Format.JXL, 0, lossless=True))
    shown = _shown(convert(whole[: int(0.7 * len(whole))], target(Format.PNG, lossless=True)))
    same = (np.asarray(shown) == np.asarray(picture)).all(axis=2)
    assert 0.2 < same.mean() < 0.9


def test_of_an_animation_that_ends_too_early_the_whole_frames_are_shown() -> None:
    whole = convert(animation("GIF"), target(Format.JXL))
    assert getattr(opened(whole), "n_frames", 1) == 4
    shown = opened(convert(whole[: int(0.8 * len(whole))], target(Format.WEBP)))
    assert 2 <= getattr(shown, "n_frames", 1) <= 3


@pytest.mark.parametrize("name", ["PROGRESSIVE", "OF_A_JPEG", "MOVING", "DEEP"])
def test_a_whole_one_is_taken_where_a_damaged_one_is_refused(name: str) -> None:
    data = getattr(jxls, name)
    for format in (Format.WEBP, Format.JXL):
        strict = target(format, 80, damaged=Damaged.REFUSE)
        assert convert(data, strict) == convert(data, target(format, 80))
        with pytest.raises(PictureError, match=r"too early|broken"):
            convert(data[: len(data) // 2], strict)


def test_a_broken_file_is_a_sentence() -> None:
    generator = np.random.default_rng(3)
    refused = []
    for data in (jxls.PROGRESSIVE, jxls.OF_A_JPEG, jxls.MOVING, _jxl(photo())):
        for _ in range(60):
            broken = bytearray(data)
            for at in generator.integers(2, len(data), 4):
                broken[at] = generator.integers(256)
            for format in (Format.WEBP, Format.JPG, Format.JXL):
                try:
                    convert(bytes(broken), target(format, 80))
                except PictureError as error:
                    refused.append(str(error))
    assert refused
    assert not [text for text in refused if "\n" in text]


def test_without_its_library_it_is_not_offered_and_refused_by_its_name() -> None:
    run = [sys.executable, "-c", WITHOUT]
    formats, unsupported, refused = subprocess.check_output(run, text=True, cwd=ROOT).splitlines()
    assert formats == "webp png jpg avif gif None"
    assert unsupported.startswith("Unsupported format; choose one of webp, png, jpg, avif, gif,")
    assert refused.startswith("JPEG XL is not supported; send one of JPEG, PNG")


def test_frames_that_are_alike_are_one() -> None:
    frames = [moving_frames()[0]] * 4
    data = convert(animation("WEBP", frames=frames), target(Format.JXL, 0, lossless=True))
    assert distance(_shown(data), frames[0]) == 0

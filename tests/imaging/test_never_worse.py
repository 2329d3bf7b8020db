"""In its own format and size a picture never gets larger, and never worse for nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.options import Effort, Keep
from imaging.read.segments import SOI, segments
from tests.imaging.animations import animation, frames_seen
from tests.imaging.private import SECRETS, exif_block
from tests.imaging.profiles import display_p3, green_for_cyan
from tests.imaging.samples import corners, is_close, oriented, photo, pixels, stored, target
from tests.pictures import encoded, opened

KINDS = {
    Format.JPG: "JPEG",
    Format.PNG: "PNG",
    Format.WEBP: "WEBP",
    Format.AVIF: "AVIF",
    Format.GIF: "GIF",
    Format.JXL: "JXL",
}
POOR: dict[Format, dict[str, Any]] = {
    Format.JPG: {"quality": 20},
    Format.PNG: {"optimize": True},
    Format.WEBP: {"quality": 15},
    Format.AVIF: {"quality": 20},
    Format.GIF: {},
    Format.JXL: {"quality": 20},
}
"""How a file is written that cannot well be made smaller at a good quality."""

QUICK = (96, 72)
"""Pixels of what each effort encodes, some of them slowly."""

BEST = 100
"""The quality asked for: the engine's own encoding would be larger than what comes in."""


def _small(format: Format, size: tuple[int, int] = (160, 120), **options: Any) -> bytes:
    image = photo(*size)
    if format in (Format.PNG, Format.GIF):
        image = image.quantize(8, dither=Image.Dither.NONE)
    return encoded(image, KINDS[format], **POOR[format] | options)


def _same(one: bytes, other: bytes) -> bool:
    return bool((pixels(opened(one), "RGBA") == pixels(opened(other), "RGBA")).all())


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", list(Format))
def test_a_small_file_stays_the_same_picture_and_gets_no_larger(
    format: Format, effort: Effort
) -> None:
    data = _small(format, QUICK)
    result = convert(data, target(format, BEST, effort))
    assert len(result) <= len(data)
    assert _same(result, data)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", list(Format))
def test_a_second_time_changes_nothing(format: Format, effort: Effort) -> None:
    """A file that cannot get smaller comes back as it is, byte for byte."""
    once = convert(
        convert(_small(format, QUICK), target(format, BEST, effort)), target(format, BEST, effort)
    )
    assert convert(once, target(format, BEST, effort)) == once


@pytest.mark.parametrize("format", list(Format))
def test_what_cannot_get_smaller_comes_back_byte_for_byte(format: Format) -> None:
    data = convert(_small(format, QUICK), target(format, 1, Effort.SMALL))
    data = convert(data, target(format, BEST, Effort.SMALL))
    for effort in Effort:
        result = convert(data, target(format, BEST, effort))
        assert len(result) <= len(data)
        assert _same(result, data)
        if effort is not Effort.FAST:
            assert result == data or len(result) < len(data)
    assert convert(data, target(format, BEST, Effort.SMALL)) == data


@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_its_metadata_is_gone(format: Format) -> None:
    data = _small(format, exif=exif_block(), **_xmp(format))
    assert b"secret" in data
    result = convert(data, target(format, BEST))
    assert len(result) <= len(data)
    assert _same(result, data)
    for secret in SECRETS:
        # An AVIF's items stay where they are, and are empty.
        assert secret not in result or (format is Format.AVIF and secret == b"Exif")
    exif = opened(result).getexif()
    assert not {tag: value for tag, value in exif.items() if tag != 0x0112}
    assert not exif.get_ifd(0x8825)
    assert not exif.get_ifd(0x8769)


@pytest.mark.parametrize("effort", list(Effort))
@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_its_own_pixels_alone_are_left(format: Format, effort: Effort) -> None:
    """Also where the engine's own encoding would have been the smaller one."""
    data = _small(format, exif=exif_block(), icc_profile=display_p3(), **_xmp(format))
    result = WRITERS[format].strip(data, None, effort)
    assert b"secret" not in result
    assert _same(result, data)
    assert opened(result).info["icc_profile"] == display_p3()
    assert len(result) <= len(data)


def test_metadata_behind_bytes_of_filling_is_gone() -> None:
    """Any marker of a JPEG may have these before it."""
    whole = _small(Format.JPG, exif=exif_block(), icc_profile=display_p3(), **_xmp(Format.JPG))
    data = b"".join((SOI, *(b"\xff" * 3 + part for part in _parts(whole))))
    assert _same(data, whole)
    result = WRITERS[Format.JPG].strip(data, None, Effort.FAST)
    assert b"secret" not in result
    assert _same(result, whole)
    assert opened(result).info["icc_profile"] == display_p3()


@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_the_scans_of_a_jpeg_are_passed_on_without_a_decoder(effort: Effort) -> None:
    """To decode and code them anew takes longer than to encode the picture."""
    data = _small(Format.JPG, exif=exif_block(), progressive=True)
    result = convert(data, target(Format.JPG, BEST, effort))
    assert result == encoded(photo(), "JPEG", quality=20, progressive=True)


def test_of_a_jpeg_small_effort_codes_the_scans_anew() -> None:
    data = _small(Format.JPG)
    result = convert(data, target(Format.JPG, BEST, Effort.SMALL))
    assert len(result) < len(convert(data, target(Format.JPG, BEST)))
    assert _same(result, data)


@pytest.mark.parametrize("effort", list(Effort))
def test_metadata_between_scans_is_gone(effort: Effort) -> None:
    data = _small(Format.JPG, progressive=True)
    whole = WRITERS[Format.JPG].strip(data, None, effort)
    comment, scan = b"\xff\xfe\x00\x0ea secret\xff\xd9 x", data.rindex(b"\xff\xda")
    data = data[:scan] + comment + data[scan:]
    assert WRITERS[Format.JPG].strip(data, None, effort) == whole


@pytest.mark.parametrize("effort", list(Effort))
def test_the_small_picture_in_a_jpeg_is_gone(effort: Effort) -> None:
    """JFIF has a place for one, which shows what was cut off the picture since."""
    whole = _small(Format.JPG)
    assert whole[2:4] == b"\xff\xe0"
    thumbnail = b"\xff\xe0" + (16 + 12).to_bytes(2, "big") + whole[6:18] + b"\2\2" + b"secret" * 2
    data = whole[:2] + thumbnail + whole[20:]
    result = convert(data, target(Format.JPG, BEST, effort))
    assert b"secret" not in result
    assert _same(result, whole)


@pytest.mark.parametrize("effort", list(Effort))
def test_a_jpeg_that_was_cut_off_does_not_grow(effort: Effort) -> None:
    data = _small(Format.JPG)[:-400]
    result = convert(data, target(Format.JPG, BEST, effort))
    assert len(result) <= len(data)
    assert opened(result).size == (160, 120)


def test_metadata_weighs_more_than_what_is_encoded_anew() -> None:
    """A result that is much smaller than the file can still be larger than its own scans."""
    data = _small(Format.JPG, icc_profile=None, comment=b"a secret" * 4000)
    plain = _small(Format.JPG)
    for effort in Effort:
        assert len(convert(data, target(Format.JPG, BEST, effort))) <= len(plain)


def test_what_a_gif_says_beside_its_picture_is_gone() -> None:
    data = _small(Format.GIF, comment=b"a secret comment")
    at = data.index(b"!")
    program = b"!\xff\x0bXMP DataXMP" + b"\x06secret" + b"\0"
    data = data[:at] + program + data[at:]
    result = convert(data, target(Format.GIF, BEST))
    assert b"secret" not in result
    assert _same(result, data)


@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_what_is_behind_the_picture_is_gone(format: Format) -> None:
    """Phones put films and other pictures there."""
    data = _small(format) + b"a secret film" * 20
    result = convert(data, target(format, BEST))
    assert b"secret" not in result
    assert _same(result, data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_it_is_still_shown_upright(format: Format, orientation: int) -> None:
    data = encoded(
        stored(photo(), orientation), KINDS[format], exif=oriented(orientation), **POOR[format]
    )
    result = convert(data, target(format, BEST))
    assert len(result) <= len(data)
    shown = ImageOps.exif_transpose(opened(result))
    assert shown is not None
    assert shown.size == (160, 120)
    reference = ImageOps.exif_transpose(opened(data))
    assert np.abs(pixels(shown) - pixels(reference)).mean() < 1


@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_its_colour_profile_stays_with_its_pixels(format: Format) -> None:
    data = _small(format, icc_profile=display_p3())
    result = convert(data, target(format, BEST))
    assert len(result) <= len(data)
    if _same(result, data):
        assert opened(result).info["icc_profile"] == display_p3()
    else:  # then they have been brought to sRGB
        assert "icc_profile" not in opened(result).info
    kept = convert(data, target(format, BEST, keep=(Keep.ICC,)))
    assert _same(kept, data)
    assert opened(kept).info["icc_profile"] == display_p3()


def test_inks_stay_with_their_profile() -> None:
    data = encoded(photo().convert("CMYK"), "JPEG", quality=20, icc_profile=green_for_cyan())
    result = convert(data, target(Format.JPG, BEST))
    assert len(result) <= len(data)
    one, other = opened(result), opened(data)
    assert one.mode == "CMYK"
    assert one.tobytes() == other.tobytes()
    assert one.info["icc_profile"] == green_for_cyan()


@pytest.mark.parametrize("format", [Format.JPG, Format.PNG, Format.WEBP, Format.AVIF])
def test_what_is_to_be_kept_is_kept(format: Format) -> None:
    data = _small(format, exif=exif_block())
    result = convert(data, target(format, BEST, keep=(Keep.COPYRIGHT, Keep.LOCATION)))
    assert len(result) <= len(data)
    exif = opened(result).getexif()
    assert exif[0x8298] == "of a secret owner"
    assert exif.get_ifd(0x8825)[1] == "N"
    assert b"secret maker" not in result
    assert 0x0132 not in exif


@pytest.mark.parametrize("format", [Format.GIF, Format.WEBP])
def test_an_animation_stays_as_it_is(format: Format) -> None:
    data = animation(KINDS[format], loop=2)
    result = convert(data, target(format, BEST))
    assert len(result) <= len(data)
    frames, delays = frames_seen(opened(result))
    wanted, wanted_delays = frames_seen(opened(data))
    assert delays == wanted_delays
    assert opened(result).info["loop"] == 2
    for frame, other in zip(frames, wanted, strict=True):
        assert np.abs(pixels(frame) - pixels(other)).mean() < 3


def test_a_picture_that_is_resized_is_not_replaced() -> None:
    data = encoded(corners(), "PNG", optimize=True)
    result = opened(convert(data, target(Format.PNG, width=240, height=160, fit="fill")))
    assert result.size == (240, 160)


NOTHING_TO_DO: tuple[dict[str, Any], ...] = (
    {"width": 160},
    {"width": 5000},
    {"height": 121},
    {"width": 160, "height": 120, "fit": "fill"},
    {"width": 160, "height": 120, "fit": "cover", "gravity": "attention"},
    {"width": 160, "height": 120, "fit": "contain"},
    {"width": 160, "height": 120, "fit": "thumb"},
    {"trim": 0},
    {"trim": 0, "width": 200},
)
"""Options that change nothing in a picture of 160 × 120 without a border."""


@pytest.mark.parametrize("options", NOTHING_TO_DO, ids=str)
@pytest.mark.parametrize("format", list(Format))
def test_what_changes_nothing_in_the_picture_is_as_if_it_was_not_asked_for(
    format: Format, options: dict[str, Any]
) -> None:
    data = _small(format)
    result = convert(data, target(format, BEST, **options))
    assert len(result) <= len(data)
    assert result == convert(data, target(format, BEST))


@pytest.mark.parametrize("options", [*NOTHING_TO_DO[:3], {"q": "auto", "width": 5000}], ids=str)
@pytest.mark.parametrize("format", [Format.JPG, Format.WEBP, Format.AVIF])
def test_what_changes_nothing_lets_no_picture_grow_as_the_smallest_format(
    format: Format, options: dict[str, Any]
) -> None:
    data = _small(format)
    formats = (Format.JPG, Format.WEBP, Format.AVIF)
    plain = {"formats": formats} | ({"q": options["q"]} if "q" in options else {})
    result = convert(data, target(format, BEST, **plain | options))
    assert len(result) <= len(data)
    assert result == convert(data, target(format, BEST, **plain))


@pytest.mark.parametrize("width", [120, 5000])
@pytest.mark.parametrize("formats", [(), (Format.WEBP, Format.GIF)])
@pytest.mark.parametrize("format", [Format.GIF, Format.WEBP])
def test_an_animation_does_not_grow_in_a_size_that_it_has(
    format: Format, formats: tuple[Format, ...], width: int
) -> None:
    noisy = [photo(120, 80).rotate(turn).quantize(8) for turn in (0, 90, 180, 270)]
    frames = [frame.convert("RGB") for frame in noisy]
    data = encoded(
        frames[0], KINDS[format], save_all=True, append_images=frames[1:], **POOR[format]
    )
    result = convert(data, target(format, BEST, formats=formats, width=width))
    assert len(result) <= len(data)
    assert result == convert(data, target(format, BEST, formats=formats))


@pytest.mark.parametrize("format", [Format.JPG, Format.WEBP])
def test_a_turned_picture_does_not_grow_in_the_size_in_which_it_is_shown(format: Format) -> None:
    data = encoded(stored(photo(), 6), KINDS[format], exif=oriented(6), **POOR[format])
    result = convert(data, target(format, BEST, width=160, height=120, fit="fill"))
    assert len(result) <= len(data)
    assert result == convert(data, target(format, BEST))
    upright = opened(convert(data, target(format, BEST, width=120, height=160, fit="fill")))
    assert upright.size == (120, 160)


def test_a_background_behind_nothing_lets_no_picture_grow() -> None:
    data = _small(Format.JPG)
    assert len(convert(data, target(Format.JPG, BEST, background="ff0000"))) <= len(data)


def test_a_background_shows_where_the_picture_is_clear() -> None:
    image = photo()
    image.putalpha(0)
    data = encoded(image, "WEBP", quality=15)
    result = opened(convert(data, target(Format.WEBP, BEST, background="ff0000", width=5000)))
    assert is_close(result, (80, 60), (255, 0, 0, 255))


@pytest.mark.parametrize("options", [{"width": 159}, {"sharpen": 1.0}, {"trim": 10}], ids=str)
def test_what_changes_the_picture_is_done(options: dict[str, Any]) -> None:
    framed = ImageOps.expand(photo(140, 100), 10, "white") if "trim" in options else photo()
    assert framed.size == (160, 120)
    data = encoded(framed, "PNG")
    result = opened(convert(data, target(Format.PNG, lossless=True, **options)))
    assert result.tobytes() != framed.tobytes()


def test_a_border_that_is_cut_off_is_gone_also_where_the_size_comes_back() -> None:
    data = encoded(ImageOps.expand(photo(80, 60), (40, 30), "white"), "PNG", optimize=True)
    options: dict[str, Any] = {"trim": 10, "width": 160, "height": 120, "fit": "fill"}
    result = opened(convert(data, target(Format.PNG, **options)))
    assert result.size == (160, 120)
    assert not is_close(result, (2, 2), (255, 255, 255))


def test_a_size_that_the_picture_has_is_kept_also_where_it_takes_too_many_bytes() -> None:
    data = encoded(photo(), "PNG")
    options: dict[str, Any] = {"width": 160, "height": 120, "fit": "fill", "max_bytes": 600}
    with pytest.raises(PictureError, match="ask for a smaller width"):
        convert(data, target(Format.PNG, **options))


def _parts(data: bytes) -> list[bytes]:
    """A JPEG's segments, and what is behind them."""
    found = list(segments(data))
    return [*(data[part.start : part.end] for part in found), data[found[-1].end :]]


def _xmp(format: Format) -> dict[str, Any]:
    return {} if format is Format.PNG else {"xmp": b"<x:xmpmeta><secret/></x:xmpmeta>"}


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_was_cut_off_is_one_that_every_program_opens(progressive: bool) -> None:
    whole = encoded(photo(), "JPEG", quality=90, progressive=progressive)
    sizes = range(len(whole) // 4, len(whole), 97)
    done = 0
    for size in sizes:
        cut = whole[:size]
        try:
            result = convert(cut, target(Format.JPG, 95))
        except PictureError:  # cut in the middle of a table, which no decoder reads
            continue
        done += 1
        assert len(result) <= len(cut)
        opened(result).load()
    assert done >= 0.9 * len(sizes)

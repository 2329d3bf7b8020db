"""`max_bytes`: a result never has more, looks as good as fits, and says where it does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from bench.graphics import make_graphics
from imaging import look
from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.errors import TOO_MANY_BYTES, PictureError
from imaging.formats import Format
from imaging.measures import Chosen, Measures, Size
from imaging.options import Effort
from imaging.results import limited
from imaging.write import fitting
from imaging.write.strips import to_vips
from tests.imaging.animations import animation
from tests.imaging.samples import distance, frame_count, opacities, photo, target
from tests.imaging.strategies import BOUNDED, animations, pictures, targets
from tests.pictures import as_format, encoded, in_colour, opened, photograph

LOSSY = tuple(format for format in Format if format.takes_q)
COPYRIGHT = 0x8298


SIDE = 180
"""Pixels of a photograph that is small enough for many tries."""


@cache
def _small(side: int = SIDE) -> bytes:
    return encoded(in_colour("coffee").crop((60, 60, 60 + side, 60 + side)), "PNG")


@pytest.mark.parametrize("share", [0.8, 0.5])
@pytest.mark.parametrize("format", LOSSY)
def test_a_result_fits_and_uses_what_it_may_have(format: Format, share: float) -> None:
    data = _small()
    most = int(share * len(convert(data, target(format, 80))))
    result = convert(data, target(format, 80, max_bytes=most))
    assert 0.85 * most <= len(result) <= most
    if format is not Format.PNG:  # which may look better in fewer pixels than in few colours
        assert opened(result).size == (SIDE, SIDE)


@pytest.mark.parametrize("format", LOSSY)
def test_more_bytes_look_better(format: Format) -> None:
    data = _small()
    plain = len(convert(data, target(format, 80)))

    def off(share: float) -> float:
        result = opened(convert(data, target(format, 80, max_bytes=int(share * plain))))
        shown = result.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
        return distance(opened(data), shown)

    assert off(0.9) < off(0.5)


@pytest.mark.parametrize("format", list(Format))
def test_what_fits_is_as_it_would_be_without_a_limit(format: Format) -> None:
    data = _small()
    plain = convert(data, target(format, 70))
    assert convert(data, target(format, 70, max_bytes=len(plain))) == plain
    assert convert(data, target(format, 70, max_bytes=10**6)) == plain


def test_the_same_picture_and_limit_are_the_same_file() -> None:
    data = _small()
    results = {convert(data, target(Format.WEBP, 80, max_bytes=2300)) for _ in range(2)}
    assert len(results) == 1


@pytest.mark.parametrize("effort", list(Effort))
def test_each_effort_fits(effort: Effort) -> None:
    data = _small()
    assert len(convert(data, target(Format.WEBP, 80, effort))) > 2300
    assert len(convert(data, target(Format.WEBP, 80, effort, max_bytes=2300))) <= 2300


@pytest.mark.parametrize("share", [0.9, 0.5, 0.3])
@pytest.mark.parametrize("format", LOSSY)
def test_a_whole_picture_is_written_five_times_at_most(
    format: Format, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _small()
    most = int(share * len(convert(data, target(format, 80))))
    widths = list[int]()
    writer = WRITERS[format]

    def counted(encode: Callable[..., bytes]) -> Callable[..., bytes]:
        def count(image: Any, wanted: Any) -> bytes:
            widths.append(image.width)
            return encode(image, wanted)

        return count

    limited_too = writer.encode_limited and counted(writer.encode_limited)
    monkeypatch.setitem(
        WRITERS, format, replace(writer, encode=counted(writer.encode), encode_limited=limited_too)
    )
    assert len(convert(data, target(format, 80, max_bytes=most))) <= most
    assert 2 <= widths.count(SIDE) <= 5
    assert len(widths) - widths.count(SIDE) <= 5  # one of a frame alone


@pytest.mark.parametrize("format", list(Format))
def test_where_no_quality_is_low_enough_the_picture_gets_fewer_pixels(format: Format) -> None:
    side = 240
    data = _small(side)
    plain = convert(data, target(format, 80))
    most = len(plain) // 12
    told = list[Measures]()
    result = convert(data, target(format, 80, max_bytes=most), told.append)
    assert 0.8 * most <= len(result) <= most
    width, height = opened(result).size
    assert side / 10 <= width == height < side
    assert told[-1].result == Size(width, height)


@pytest.mark.parametrize(
    ("size", "format", "share", "least"),
    [
        ((2, 400), Format.JXL, 0.3, 120),
        ((2, 400), Format.JPG, 0.5, 60),
        ((4, 300), Format.AVIF, 0.4, 35),
        ((24, 24), Format.JXL, 0.8, 6),
        ((24, 24), Format.PNG, 0.8, 12),
        ((300, 4), Format.WEBP, 0.3, 36),
    ],
)
def test_a_narrow_or_tiny_picture_gets_no_smaller_than_it_has_to(
    size: tuple[int, int], format: Format, share: float, least: int
) -> None:
    data = encoded(in_colour("coffee").crop((50, 0, 50 + size[0], size[1])), "PNG")
    most = int(share * len(convert(data, target(format, 80))))
    result = convert(data, target(format, 80, max_bytes=most))
    assert len(result) <= most
    assert max(opened(result).size) >= least


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.GIF])
@pytest.mark.parametrize("side", [16, 120])
def test_nothing_is_written_twice(
    format: Format, side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _small(side)
    plain = len(convert(data, target(format, 80)))
    tried = list[tuple[int, int, int]]()
    writer = WRITERS[format]
    encode = writer.encode_limited or writer.encode

    def noted(image: Any, wanted: Any) -> bytes:
        tried.append((image.width, image.height, wanted.quality))
        return encode(image, wanted)

    monkeypatch.setitem(WRITERS, format, replace(writer, encode_limited=noted))
    for share in (0.8, 0.5, 0.3):
        tried.clear()
        with suppress(PictureError):
            convert(data, target(format, 80, max_bytes=int(share * plain)))
        assert len(tried) == len(set(tried))


def test_few_colours_of_a_large_picture_are_guessed_by_a_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limited, "GUESSED_PIXELS", 50_000)
    data = photograph("coffee")
    plain = len(convert(data, target(Format.PNG, 80)))
    written = list[int]()
    writer = WRITERS[Format.PNG]
    encode: Any = writer.encode_limited

    def noted(image: Any, wanted: Any) -> Any:
        written.append(image.width * image.height)
        return encode(image, wanted)

    monkeypatch.setitem(WRITERS, Format.PNG, replace(writer, encode_limited=noted))
    most = plain // 2
    assert 0.8 * most <= len(convert(data, target(Format.PNG, 80, max_bytes=most))) <= most
    assert sum(pixels > 30_000 for pixels in written) <= 5


@pytest.mark.parametrize("format", [Format.JPG, Format.AVIF])
def test_fine_colours_that_a_sought_quality_keeps_stay_in_fewer_bytes(
    format: Format, tmp_path: Path
) -> None:
    (path,) = make_graphics(tmp_path, ["screenshot-01"])
    with Image.open(path) as image:
        part = image.convert("RGB").crop((0, 0, 400, 300))
    data = encoded(part, "PNG")
    free = convert(data, target(format, 0, q="auto"))
    most = int(0.85 * len(free))
    result = convert(data, target(format, 0, q="auto", max_bytes=most))
    assert len(result) <= most
    shown = to_vips(opened(result).convert("RGB"))
    # With chroma of half the width and height it is 51 to 55.
    assert look.reference(to_vips(part)).score(shown) > 68


@pytest.mark.parametrize("width", [None, 150])
def test_within_a_size_that_is_asked_for_it_gets_smaller(width: int | None) -> None:
    data = _small()
    sides: dict[str, Any] = {"width": width} if width else {}
    result = convert(data, target(Format.JPG, 80, max_bytes=850, **sides))
    assert len(result) <= 850
    assert opened(result).width < (width or SIDE)


@pytest.mark.parametrize("fit", ["cover", "contain", "fill", "thumb"])
def test_a_size_that_is_exact_stays_and_the_reason_says_how_small_it_gets(fit: str) -> None:
    data = _small()
    size: dict[str, Any] = {"width": 120, "height": 90, "fit": fit}
    with pytest.raises(PictureError, match="of max_bytes: ask for a smaller") as error:
        convert(data, target(Format.JPG, 80, max_bytes=700, **size))
    assert error.value.code == TOO_MANY_BYTES
    (least,) = re.findall(r"at least (\d+) bytes as jpg", str(error.value))
    assert len(convert(data, target(Format.JPG, 80, max_bytes=int(least), **size))) <= int(least)


def test_a_limit_that_no_picture_has_says_how_small_it_gets() -> None:
    with pytest.raises(PictureError, match=r"at least \d+ bytes as jpg with a tenth") as error:
        convert(_small(), target(Format.JPG, 80, max_bytes=100))
    assert error.value.code == TOO_MANY_BYTES


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.AVIF])
def test_without_loss_only_the_size_changes(format: Format) -> None:
    data = encoded(photo(200, 150), "PNG")
    plain = convert(data, target(format, 0, lossless=True))
    result = convert(data, target(format, 0, lossless=True, max_bytes=len(plain) // 2))
    assert len(result) <= len(plain) // 2
    shown = opened(result)
    assert shown.width < 200
    # Of its smaller self nothing is lost.
    again = convert(encoded(shown.convert("RGB"), "PNG"), target(format, 0, lossless=True))
    assert distance(opened(again).convert("RGB"), shown.convert("RGB")) == 0


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.GIF])
@pytest.mark.parametrize("share", [0.7, 0.2])
def test_all_frames_of_an_animation_count_and_stay(format: Format, share: float) -> None:
    frames = [in_colour("coffee").crop((at, 60, at + 90, 150)) for at in (60, 140, 220, 300)]
    data = animation("PNG" if format is Format.PNG else "WEBP", frames=frames)
    most = int(share * len(convert(data, target(format, 80))))
    result = convert(data, target(format, 80, max_bytes=most))
    assert len(result) <= most
    assert frame_count(opened(result)) == 4


@pytest.mark.parametrize("still", [True, False])
def test_a_drawing_as_gif_gets_fewer_colours_before_it_gets_smaller(still: bool) -> None:
    frames = [in_colour("coffee").crop((at, 60, at + 200, 260)).quantize(200) for at in (60, 70)]
    data = encoded(frames[0], "PNG") if still else animation("WEBP", frames=frames)
    most = int(0.6 * len(convert(data, target(Format.GIF, 0))))
    told = list[Measures]()
    result = opened(convert(data, target(Format.GIF, 0, max_bytes=most), told.append))
    assert result.size == (200, 200)
    assert len(result.convert("RGB").getcolors(2**16) or ()) <= 128
    assert told[-1].chosen is None


def test_a_gif_gets_few_colours_where_fewer_pixels_alone_do_not_fit() -> None:
    result = convert(_small(), target(Format.GIF, 0, max_bytes=600))
    assert len(result) <= 600  # a palette of 256 colours has 768


@pytest.mark.parametrize("format", [Format.GIF, Format.PNG])
def test_a_smooth_picture_gets_smaller_before_it_gets_steps(format: Format) -> None:
    slope = Image.linear_gradient("L")
    bands = slope, slope.rotate(90), Image.radial_gradient("L")
    data = encoded(Image.merge("RGB", bands), "PNG")
    most = int(0.4 * len(convert(data, target(format, 0))))
    smaller = opened(convert(data, target(format, 0, max_bytes=most)))
    assert smaller.width < opened(data).width
    size: dict[str, Any] = dict(zip(("width", "height"), opened(data).size, strict=True))
    whole = opened(convert(data, target(format, 0, max_bytes=most, fit="fill", **size)))
    assert whole.size == opened(data).size


@pytest.mark.parametrize("share", [0.9, 0.5])
def test_a_dark_picture_has_more_colours_than_its_quality_takes_if_they_fit(share: float) -> None:
    red, green, blue = (
        Image.radial_gradient("L").point(lambda value, by=by: 2 + value // by) for by in (12, 14, 8)
    )
    noise = Image.effect_noise((256, 256), 40).point(lambda value: value > 128)
    image = Image.merge("RGB", [ImageChops.add(each, noise) for each in (red, green, blue)])
    data = encoded(image, "PNG")
    most = int(share * len(convert(data, target(Format.PNG, 0))))
    result = opened(convert(data, target(Format.PNG, 0, max_bytes=most)))
    assert result.size == image.size
    assert distance(result, image) < 1.5


def test_a_file_that_is_far_smaller_is_not_taken_for_the_larger_setting() -> None:
    sizes, written = {1: 90, 2: 20}, list[int]()

    def write(setting: int) -> bytes:
        written.append(setting)
        return bytes(sizes[setting])

    found = fitting.largest(
        write, 100, low=1, high=2, shape=lambda each: 10 + each, known={3: 130.0}, tries=3
    )
    assert written == [1, 2]
    assert (found.setting, len(found.data)) == (1, 90)


def test_a_large_jpg_of_few_bytes_stays_smooth() -> None:
    slope = Image.linear_gradient("L").resize((1400, 1100)).convert("RGB")
    slope.paste(in_colour("coffee"), (100, 100))
    data = encoded(slope, "PNG")
    most = len(convert(data, target(Format.JPG, 80))) // 2
    result = convert(data, target(Format.JPG, 80, max_bytes=most))
    assert len(result) <= most
    assert opened(result).size == slope.size
    sky = (1000, 0, 1400, 1100)
    # By the tables' own quantisers of means it is one level off.
    assert distance(opened(result).crop(sky), slope.crop(sky)) < 0.7


@pytest.mark.parametrize("format", LOSSY)
def test_metadata_that_is_kept_counts(format: Format) -> None:
    exif = Image.Exif()
    exif[COPYRIGHT] = "Somebody " * 60
    data = as_format("rocket", "JPEG", exif=exif, quality=95)
    bare = len(convert(data, target(format, 80, width=200)))
    kept = convert(data, target(format, 80, width=200, max_bytes=bare, keep=["copyright"]))
    assert len(kept) <= bare
    assert b"Somebody" in kept


@pytest.mark.parametrize("format", [Format.WEBP, Format.PNG, Format.AVIF])
def test_what_is_clear_stays_clear(format: Format) -> None:
    image = photo(200, 150).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 100, 150))
    data = encoded(image, "PNG")
    for part in (2, 3):
        most = len(convert(data, target(format, 80))) // part
        result = convert(data, target(format, 80, max_bytes=most))
        assert len(result) <= most
        assert opacities(opened(result))[0] <= 4


def test_a_picture_that_fits_as_it_came_keeps_its_pixels() -> None:
    data = as_format("chelsea", "JPEG", quality=30)
    result = convert(data, target(Format.JPG, 95, max_bytes=len(data)))
    assert distance(opened(result), opened(data)) == 0
    below = convert(data, target(Format.JPG, 95, max_bytes=len(data) // 2))
    assert len(below) <= len(data) // 2


def test_a_large_picture_is_tried_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited, "LARGE_PIXELS", 10_000)
    monkeypatch.setattr(limited, "SAMPLE_PIXELS", 20_000)
    data = photograph("coffee")
    for format in (Format.JPG, Format.AVIF):
        plain = len(convert(data, target(format, 80)))
        result = convert(data, target(format, 80, max_bytes=plain // 2))
        assert 0.8 * (plain // 2) <= len(result) <= plain // 2
        assert opened(result).size == (600, 400)


@BOUNDED
@given(
    picture=st.one_of(pictures(("PNG", "JPEG", "WEBP", "GIF", "AVIF")), animations()),
    target=targets(),
    share=st.floats(0, 1.2),
)
def test_whatever_comes_in_it_fits_or_fails(
    picture: tuple[str, tuple[int, int], bytes], target: Any, share: float
) -> None:
    _, _, data = picture
    most = max(1, int(share * len(data)))
    options = replace(target.options, max_bytes=most)
    codes = list[str]()
    try:
        assert len(convert(data, replace(target, options=options))) <= most
    except PictureError as error:
        codes.append(error.code)
    assert set(codes) <= {TOO_MANY_BYTES}


@given(
    factor=st.floats(0.2, 5),
    power=st.floats(0.3, 3),
    limit=st.integers(1, 100_000),
    tries=st.integers(1, 5),
)
def test_a_search_ends_below_its_limit_or_at_the_lowest(
    factor: float, power: float, limit: int, tries: int
) -> None:
    written = list[int]()

    def size(setting: int) -> int:
        return 1 + int(1000 * factor * (setting / 100) ** power)

    def write(setting: int) -> bytes:
        written.append(setting)
        return bytes(size(setting))

    found = fitting.largest(
        write,
        limit,
        low=20,
        high=79,
        shape=lambda setting: setting / 100,
        known={80: size(80)},
        tries=tries,
    )
    assert len(written) <= tries
    assert len(set(written)) == len(written)
    if found.setting is None:
        assert size(20) > limit
        assert len(found.data) == size(20)
    else:
        assert len(found.data) == size(found.setting) <= limit


@pytest.mark.parametrize("format", [format for format in Format if format.takes_auto])
def test_a_quality_that_is_found_is_the_highest_and_a_lower_one_is_told(format: Format) -> None:
    data = encoded(in_colour("chelsea").crop((60, 60, 290, 288)), "PNG")
    free, found = _told(data, format, q="auto")
    assert found is not None
    assert found.look is not None
    assert _told(data, format, q="auto", max_bytes=len(free)) == (free, found)
    least = len(free) * 2 // 3
    result, lower = _told(data, format, q="auto", max_bytes=least)
    assert 0.8 * least <= len(result) <= least
    assert lower is not None
    assert lower.quality < found.quality
    assert lower.look is None


@pytest.mark.parametrize("format", list(Format))
def test_the_quality_that_fits_is_told_where_the_format_has_one(format: Format) -> None:
    data = _small()
    plain, nothing = _told(data, format)
    assert nothing is None
    for share in (0.7, 0.1):
        _, chosen = _told(data, format, max_bytes=int(share * len(plain)))
        if format.takes_q:
            assert chosen is not None
            assert 1 <= chosen.quality < 80
        else:
            assert chosen is None
    assert _told(data, Format.PNG, lossless=True, max_bytes=5000)[1] is None


def _told(data: bytes, format: Format, **options: Any) -> tuple[bytes, Chosen | None]:
    told = list[Measures]()
    quality = 0 if {"q", "lossless"} & options.keys() else 80
    return convert(data, target(format, quality, **options), told.append), told[-1].chosen

"""`format=auto`: the smallest file at the same look, and which format that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from bench.graphics import make_graphics
from bench.pictures import shipped
from imaging import convert as conversions
from imaging.codec import Encoding
from imaging.codecs import WRITERS
from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import AUTO_FORMATS, Format, same_format
from imaging.formats.recognise import readable_type
from imaging.limits import Limits
from imaging.measures import Measures
from imaging.options import Auto, Damaged, Effort, Keep, Options
from imaging.results import several
from imaging.target import Target
from imaging.write.graphics import Kind
from tests.imaging.animations import animation
from tests.imaging.profiles import display_p3, grey_curve
from tests.imaging.samples import corners, frame_count, photo
from tests.imaging.strategies import BOUNDED, CASES, MODES, pictures
from tests.pictures import as_format, encoded, in_colour, opened, photograph, small

AUTO = tuple(each for each in Format if each in AUTO_FORMATS)
BY_NAME = {"WEBP": Format.WEBP, "PNG": Format.PNG, "JPEG": Format.JPG, "AVIF": Format.AVIF}
BY_NAME |= {"GIF": Format.GIF}


def target(
    formats: tuple[Format, ...] = AUTO,
    quality: int = 80,
    effort: Effort = Effort.FAST,
    **options: Any,
) -> Target:
    return Target(formats[0], quality, Limits(), effort, Options(formats=formats, **options))


def smallest(data: bytes, wanted: Target) -> tuple[bytes, Measures]:
    told: list[Measures] = []
    result = convert(data, wanted, told.append)
    assert told[-1].format in wanted.options.formats
    media_type = readable_type(result[:4096])
    assert same_format(media_type) == told[-1].format
    return result, told[-1]


def sizes(data: bytes, wanted: Target) -> dict[Format, int]:
    """Bytes of the whole in each format alone."""
    return {
        format: len(
            convert(
                data,
                Target(
                    format,
                    wanted.quality if format.takes_q else 0,
                    wanted.limits,
                    wanted.effort,
                    Options(lossless=wanted.options.lossless),
                ),
            )
        )
        for format in wanted.options.formats
    }


def screenshot(folder: Path) -> bytes:
    (path,) = make_graphics(folder, ["screenshot-05"])
    return path.read_bytes()


def clear(width: int = 300, height: int = 240) -> bytes:
    """A photograph that fades away."""
    image = in_colour("rocket").resize((width, height))
    image.putalpha(Image.linear_gradient("L").resize((width, height)))
    return encoded(image, "PNG")


@pytest.mark.parametrize(
    ("name", "made"),
    [("rocket", small), ("coffee", small), ("chelsea", as_format)],
)
def test_a_photograph_is_what_is_smallest_of_all_at_the_same_look(
    name: str, made: Callable[[str, str], bytes]
) -> None:
    data = made(name, "PNG")
    result, measures = smallest(data, target(effort=Effort.BALANCED))
    alone = sizes(data, target(effort=Effort.BALANCED))
    assert measures.format == min(alone, key=alone.__getitem__)
    assert len(result) == alone[Format(measures.format)]


def test_a_smooth_picture_of_which_a_quick_file_tells_too_much_is_what_is_smallest() -> None:
    (path,) = shipped(["color.png"])
    data = path.read_bytes()
    alone = sizes(data, target(effort=Effort.BALANCED))
    result, measures = smallest(data, target(effort=Effort.BALANCED))
    assert measures.format == Format.AVIF == min(alone, key=alone.__getitem__)
    assert len(result) == alone[Format.AVIF]


@pytest.mark.parametrize("size", [(3000, 64), (64, 3000)])
def test_a_photograph_that_is_narrower_than_a_tile_is_converted(size: tuple[int, int]) -> None:
    image = photo(300, 300).resize(size)
    formats = Options.from_dict({"formats": [Format.WEBP, Format.JPG]})
    wanted = Target(Format.WEBP, 0, Limits(), Effort.FAST, formats)
    assert opened(convert(encoded(image, "JPEG", quality=93), wanted)).size == size


def test_a_screenshot_is_lossless_and_a_tiny_icon_is_too(tmp_path: Path) -> None:
    for data in (screenshot(tmp_path), encoded(corners(24, 24), "PNG")):
        result, measures = smallest(data, target())
        alone = sizes(data, target())
        assert measures.format == Format.WEBP == min(alone, key=alone.__getitem__)
        assert len(result) == alone[Format.WEBP]


def test_what_is_transparent_is_no_jpeg_but_on_a_background() -> None:
    lists = (Format.PNG, Format.JPG)
    assert smallest(clear(), target(lists))[1].format == Format.PNG
    flat, measures = smallest(clear(), target(lists, background="ff0000"))
    assert measures.format == Format.JPG
    assert opened(flat).convert("RGB").getpixel((150, 1))[0] > 240  # type: ignore[index]
    opaque = opened(photograph("rocket")).convert("RGBA")
    assert smallest(encoded(opaque, "PNG"), target(lists))[1].format == Format.JPG


def test_an_animation_stays_one() -> None:
    result, measures = smallest(animation("GIF"), target())
    assert (measures.format, measures.frames) == (Format.WEBP, 4)
    assert frame_count(opened(result)) == 4
    # An animated PNG moves as such too, and a GIF is not written as one.
    png = smallest(animation("PNG"), target((Format.PNG, Format.JPG, Format.AVIF)))[1]
    assert (png.format, png.frames) == (Format.PNG, 4)
    still = smallest(animation("GIF"), target((Format.JPG, Format.AVIF)))[1]
    assert still.frames == 1


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "HEIF"])
def test_formats_that_are_only_read_become_one_that_is_written(kind: str) -> None:
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    data = encoded(in_colour("coffee").resize((320, 240)), kind)
    assert smallest(data, target())[1].format in AUTO


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("quality", [20, 80, 100])
def test_the_result_is_never_larger_than_the_original(kind: str, quality: int) -> None:
    format = BY_NAME[kind]
    options = {} if kind in ("PNG", "GIF") else {"quality": 15}
    for image in (photo(300, 240), corners(300, 240), Image.new("RGB", (1, 1), "red")):
        data = encoded(image, kind, **options)
        formats = tuple(each for each in Format if each in {*AUTO, format})
        result, measures = smallest(data, target(formats, quality))
        assert len(result) <= len(data), measures
        assert opened(result).size == image.size


@settings(BOUNDED, max_examples=CASES // 2)
@given(
    pictures(tuple(MODES)),
    st.sets(st.sampled_from([*AUTO, Format.GIF]), min_size=2),
    st.sampled_from([10, 80, 95]),
    st.booleans(),
)
def test_whatever_comes_in_it_is_whole_and_no_larger_than_the_original(
    picture: tuple[str, tuple[int, int], bytes],
    among: set[Format],
    quality: int,
    lossless: bool,
) -> None:
    kind, size, data = picture
    formats = tuple(each for each in Format if each in among)
    lossless = lossless and all(each.can_be_lossless for each in formats)
    result, measures = smallest(
        data, target(formats, 0 if lossless else quality, lossless=lossless)
    )
    assert ImageOps.exif_transpose(opened(result)).size == size
    if BY_NAME.get(kind) in among:
        assert len(result) <= len(data), measures


def test_a_jpeg_of_low_quality_stays_as_it_is_where_all_others_are_larger() -> None:
    image = in_colour("coffee")
    data = encoded(image, "JPEG", quality=10)
    result, measures = smallest(data, target(quality=95))
    assert measures.format == Format.JPG
    assert len(result) <= len(data)
    assert np.array_equal(np.asarray(opened(result)), np.asarray(opened(data)))


def test_lossless_keeps_every_pixel() -> None:
    image = in_colour("chelsea").crop((0, 0, 200, 150))
    lists = (Format.WEBP, Format.PNG, Format.AVIF)
    result, measures = smallest(encoded(image, "PNG"), target(lists, 0, lossless=True))
    assert measures.format == Format.WEBP
    assert np.array_equal(np.asarray(opened(result).convert("RGB")), np.asarray(image))


def test_the_quality_is_sought_in_the_format_that_is_chosen() -> None:
    image = in_colour("coffee").crop((0, 0, 240, 228))
    _, measures = smallest(encoded(image, "PNG"), target(quality=0, q=Auto.AUTO))
    assert measures.chosen is not None
    assert measures.chosen.look == pytest.approx(77, abs=4)
    assert measures.format in (Format.AVIF, Format.WEBP)
    # A drawing is not lossy, and of png none is sought.
    assert smallest(encoded(corners(), "PNG"), target(quality=0, q=Auto.AUTO))[1].chosen is None


def test_the_limit_of_bytes_is_kept_and_else_the_picture_fails() -> None:
    data = small("coffee", "PNG")
    result, measures = smallest(data, target(max_bytes=5000))
    assert len(result) <= 5000
    assert measures.format in (Format.AVIF, Format.WEBP)
    with pytest.raises(PictureError, match="more than the 40 of max_bytes") as caught:
        smallest(data, target(max_bytes=40))
    assert caught.value.code == "too_many_bytes"


def test_a_format_that_does_not_hold_the_picture_is_left_out() -> None:
    wide = encoded(Image.linear_gradient("L").resize((16_400, 4)).convert("RGB"), "PNG")
    assert smallest(wide, target())[1].format in (Format.PNG, Format.JPG)
    with pytest.raises(PictureError, match="webp holds 16383 pixels"):
        smallest(wide, target((Format.WEBP, Format.AVIF)))


def test_a_profile_that_is_to_be_kept_is_in_the_result() -> None:
    data = encoded(photo(200, 160), "PNG", icc_profile=display_p3())
    result, _ = smallest(data, target(keep=(Keep.ICC,)))
    assert opened(result).info.get("icc_profile") == display_p3()
    # WebP holds no profile for grey, and GIF none at all.
    grey = encoded(photo(200, 160).convert("L"), "PNG", icc_profile=grey_curve(1.8))
    formats = (Format.WEBP, Format.JPG, Format.GIF)
    assert smallest(grey, target(formats, keep=(Keep.ICC,)))[1].format == Format.JPG


def test_a_damaged_picture_fails_once_and_in_no_format(monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_format("coffee", "JPEG")
    cut = data[: len(data) // 2]
    encoders = _counted(monkeypatch)
    with pytest.raises(PictureError) as caught:
        smallest(cut, target(damaged=Damaged.REFUSE))
    assert caught.value.code == "damaged"
    assert not encoders
    assert smallest(cut, target())[1].format in AUTO


def test_the_next_one_is_the_result_where_the_first_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = as_format("coffee", "PNG")
    best = smallest(data, target())[1].format
    encode = conversions._encode

    def without_the_best(image: pyvips.Image, wanted: Target) -> bytes:
        if wanted.format == best:
            raise PictureError("the encoder has no memory left")
        return encode(image, wanted)

    monkeypatch.setattr(conversions, "_encode", without_the_best)
    assert smallest(data, target())[1].format not in (best, None)
    monkeypatch.setattr(conversions, "_encode", lambda *given: _fail())
    with pytest.raises(PictureError, match="no encoder"):
        convert(data, target())


def test_the_choice_is_the_same_each_time_and_one_picture_is_written_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, written = as_format("coffee", "PNG"), _counted(monkeypatch)
    assert smallest(data, target())[0] == smallest(data, target())[0]
    assert len(written) == 2


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("background", [None, "ff8800"])
def test_a_small_photograph_that_becomes_an_avif_is_encoded_once(
    mode: str, background: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = in_colour("coffee").resize((200, 120))
    image.putalpha(Image.linear_gradient("L").resize((200, 120)))
    data, written = encoded(image.convert(mode), "PNG"), _counted(monkeypatch)
    options: dict[str, Any] = {"effort": Effort.BALANCED, "background": background}
    result, measures = smallest(data, target((Format.WEBP, Format.AVIF), **options))
    assert measures.format == Format.AVIF
    assert not written
    alone = Options(background=background)
    assert result == convert(data, Target(Format.AVIF, 80, Limits(), Effort.BALANCED, alone))


def test_a_file_that_was_written_to_choose_is_the_result_where_it_is_the_smallest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encoded(in_colour("coffee").resize((200, 120)), "PNG")
    monkeypatch.setattr(several, "ranked", _reversed(several.ranked))
    result, measures = smallest(data, target((Format.WEBP, Format.AVIF)))
    assert measures.format == Format.AVIF
    assert len(result) == min(sizes(data, target((Format.WEBP, Format.AVIF))).values())


def test_own_pixels_are_the_result_though_the_file_that_was_written_to_choose_is_larger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = encoded(in_colour("coffee").resize((200, 120)), "AVIF", quality=20)
    files = {Format.AVIF: bytes(100_000)}
    monkeypatch.setattr(several, "ranked", lambda drawn, targets, *more: (targets, files))
    result, measures = smallest(data, target((Format.WEBP, Format.AVIF), 95))
    assert measures.format == Format.AVIF
    assert len(result) <= len(data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
@pytest.mark.parametrize("background", [None, "ff8800"])
def test_a_small_drawing_that_becomes_a_webp_is_encoded_once(
    mode: str, background: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several, "kind_of", lambda image, tried: Kind.EITHER)
    image = Image.new("RGBA", (200, 150), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((10, 10, 150, 130), fill=(200, 30, 30, 255), outline="black")
    data, written = encoded(image.convert(mode), "PNG"), _counted(monkeypatch)
    options: dict[str, Any] = {"effort": Effort.BALANCED, "background": background}
    result, measures = smallest(data, target((Format.WEBP, Format.AVIF), **options))
    assert measures.format == Format.WEBP
    assert not written
    alone = Options(background=background)
    assert result == convert(data, Target(Format.WEBP, 80, Limits(), Effort.BALANCED, alone))


def test_a_small_drawing_that_becomes_another_format_is_not_written_whole_as_webp(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(several, "kind_of", lambda image, tried: Kind.EITHER)
    encoded_as_result: list[int] = []
    encode = WRITERS[Format.WEBP].encode

    def counted(image: pyvips.Image, wanted: Encoding) -> bytes:
        if wanted.effort is Effort.BALANCED:
            encoded_as_result.append(image.width * image.height)
        return encode(image, wanted)

    writer = replace(WRITERS[Format.WEBP], encode=counted)
    monkeypatch.setitem(WRITERS, Format.WEBP, writer)
    data = encoded(in_colour("coffee").resize((240, 160)), "PNG")
    _, measures = smallest(data, target((Format.WEBP, Format.AVIF), effort=Effort.BALANCED))
    assert measures.format == Format.AVIF
    assert not encoded_as_result


def test_metadata_that_is_kept_is_in_a_small_drawing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("RGB", (200, 150), "teal"), "PNG", icc_profile=display_p3())
    monkeypatch.setattr(several, "kind_of", lambda image, tried: Kind.EITHER)
    result, _ = smallest(data, target((Format.WEBP, Format.AVIF), keep=(Keep.ICC,)))
    assert opened(result).info.get("icc_profile") == display_p3()


def test_a_picture_that_crashed_a_decoder_gets_no_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(several, "ranked", lambda *given, **named: _fail())
    careful = Target(Format.WEBP, 80, Limits(), Effort.FAST, Options(formats=AUTO), careful=True)
    assert smallest(small("coffee", "PNG"), careful)[1].format == Format.WEBP


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[Format]:
    written: list[Format] = []
    encode: Callable[..., bytes] = conversions._encode

    def counted(image: pyvips.Image, wanted: Target) -> bytes:
        written.append(wanted.format)
        return encode(image, wanted)

    monkeypatch.setattr(conversions, "_encode", counted)
    return written


def _reversed(ranked: Callable[..., Any]) -> Callable[..., Any]:
    """As `ranked`, in the wrong order."""

    def wrongly(*given: Any) -> tuple[list[Target], dict[Format, bytes]]:
        targets, files = ranked(*given)
        return targets[::-1], files

    return wrongly


def _fail() -> Any:
    raise PictureError("no encoder")

"""TIFF: every kind of sample and layout is shown as it is meant, or refused with a reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from imaging.convert import convert
from imaging.errors import PictureError
from imaging.formats import Format
from tests.imaging.profiles import display_p3
from tests.imaging.samples import is_close, photo, pixels, target
from tests.imaging.tiffs import (
    HEIGHT,
    WIDTH,
    Pixels,
    bits_12,
    by_tags,
    clear,
    numbers,
    old_jpeg,
    page,
    planes,
    shades,
    tiff,
    ycbcr,
)
from tests.pictures import encoded, opened

LOSSLESS = target(Format.PNG, lossless=True)

GREY, RGB = shades()[:, :, :1], shades()
SPOT = RGB[:, :, 2:]
"""What is in a channel that is not to be seen."""

TILES: dict[str, Any] = {"tile": (32, 32)}
BIG: dict[str, Any] = {"bigtiff": True}


def _shown(data: bytes) -> Image.Image:
    return opened(convert(data, LOSSLESS))


def _assert_shows(data: bytes, expected: Pixels, by: float = 1.01) -> None:
    """The result shows these values, 0 to 1, in the mode that their bands have."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[expected.shape[2]]
    image = _shown(data)
    assert ("A" in image.mode or "transparency" in image.info) == ("A" in mode)
    shown = pixels(image, mode).reshape(expected.shape)
    assert np.abs(shown - expected * 255).max() <= by


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize(
    "layout",
    [{}, TILES, {"compression": "zlib"}, {**TILES, "compression": "zlib"}, BIG, {**BIG, **TILES}],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_every_size_show_the_picture(
    kind: str, layout: dict[str, Any], order: str
) -> None:
    options = {"byteorder": order, **layout}
    _assert_shows(tiff(numbers(GREY[:, :, 0], kind), "minisblack", **options), GREY)
    _assert_shows(tiff(numbers(1 - GREY[:, :, 0], kind), "miniswhite", **options), GREY)
    _assert_shows(tiff(numbers(RGB, kind), **options), RGB)
    separate = planes(numbers(RGB, kind))
    _assert_shows(tiff(separate, planarconfig="separate", **options), RGB)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("separate", [False, True])
def test_only_what_is_called_alpha_is_alpha(kind: str, grey: bool, separate: bool) -> None:
    colours, alpha = (GREY if grey else RGB), clear()
    name = "minisblack" if grey else "rgb"

    def file(*bands: Pixels, extra: tuple[int, ...], **options: Any) -> bytes:
        values = numbers(np.concatenate(bands, 2), kind)
        if separate:
            values, options = planes(values), {"planarconfig": "separate", **options}
        return tiff(values, name, extrasamples=extra, **options)

    with_alpha = np.concatenate([colours, alpha], 2)
    for options in ({}, TILES):
        _assert_shows(file(colours, SPOT, extra=(0,), **options), colours)
        _assert_shows(file(colours, SPOT, alpha, extra=(0, 0), **options), colours)
        _assert_shows(file(colours, alpha, extra=(2,), **options), with_alpha)
        _assert_shows(file(colours, alpha, SPOT, extra=(2, 0), **options), with_alpha)
        _assert_shows(file(colours, SPOT, alpha, extra=(0, 2), **options), with_alpha)
        # Of 8 bit a tenth of the light has a tenth of the steps.
        by = 13 if kind == "u1" else 2
        multiplied = colours * alpha
        _assert_shows(file(multiplied, alpha, extra=(1,), **options), with_alpha, by)
        _assert_shows(file(multiplied, alpha, SPOT, extra=(1, 0), **options), with_alpha, by)


def test_one_sample_behind_rgb_of_which_nothing_is_said_is_alpha() -> None:
    values = numbers(np.concatenate([RGB, clear()], 2), "u1")
    data = page(values.tobytes(), 2, [8, 8, 8, 8])
    _assert_shows(data, np.concatenate([RGB, clear()], 2))


@pytest.mark.parametrize("kind", ["u1", "u2", "u4", "f4"])
def test_cmyk_of_every_size_and_with_other_channels_is_the_same_picture(kind: str) -> None:
    inks = np.concatenate([1 - RGB, GREY * 0.3], 2)
    plain = pixels(_shown(tiff(numbers(inks, "u1"), "separated")))
    for extra, bands in (((), []), ((0,), [SPOT]), ((2,), [clear()]), ((2, 0), [clear(), SPOT])):
        values = numbers(np.concatenate([inks, *bands], 2), kind)
        for options in ({}, TILES):
            result = _shown(tiff(values, "separated", extrasamples=extra, **options))
            assert ("A" in result.mode) == (2 in extra)
            assert np.abs(pixels(result) - plain).max() <= 3
            if 2 in extra:
                assert np.abs(pixels(result, "RGBA")[:, :, 3:] - clear() * 255).max() <= 1.01
        separate = tiff(planes(values), "separated", planarconfig="separate", extrasamples=extra)
        assert np.abs(pixels(_shown(separate)) - plain).max() <= 3


def _lab(image: Image.Image) -> Pixels:
    """L* from 0 to 100, a* and b*, of the same white as an ICC profile's."""
    lab = ImageCms.createProfile("LAB")
    made = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    assert made is not None
    values = np.asarray(made)
    return np.dstack([values[:, :, 0] * (100 / 255), values[:, :, 1:].view(np.int8)])


def test_lab_of_every_kind_shows_the_picture() -> None:
    image = photo(WIDTH, HEIGHT)
    lab, expected = _lab(image), pixels(image) / 255
    light, chroma = lab[:, :, :1], lab[:, :, 1:]
    by_name = {
        "cielab u1": np.dstack([light * 2.55, chroma.astype("i1").view("u1")]).round().astype("u1"),
        "cielab u2": np.dstack(
            [(light * 655.35).round().astype("u2"), (chroma * 256).astype("i2").view("u2")]
        ),
        "icclab u1": np.dstack([light * 2.55, chroma + 128]).round().astype("u1"),
        "icclab u2": np.dstack([light * 652.8, (chroma + 128) * 256]).round().astype("u2"),
        "cielab f4": lab.astype("f4"),
    }
    for name, values in by_name.items():
        for options in ({}, TILES):
            _assert_shows(tiff(values, name.split()[0], **options), expected, 16)
        alpha = numbers(clear(), values.dtype.str[1:])
        with_alpha = np.concatenate([values, alpha], 2)
        data = tiff(with_alpha, name.split()[0], extrasamples=[2])
        _assert_shows(data, np.concatenate([expected, clear()], 2), 16)


def test_floats_and_wide_integers_go_through_their_profile() -> None:
    # These are pure red, green and blue in sRGB.
    for stored, shown in (((234, 51, 35), 0), ((117, 251, 76), 1), ((0, 0, 245), 2)):
        values = np.full((HEIGHT, WIDTH, 3), np.array(stored) / 255)
        colour = tuple(255 * (band == shown) for band in range(3))
        for kind in ("f2", "f4", "f8", "u4"):
            data = tiff(numbers(values, kind), iccprofile=display_p3())
            assert is_close(_shown(data), (20, 20), colour, by=13), kind
            assert is_close(opened(convert(data, target(Format.JPG, 95))), (20, 20), colour, by=14)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_lights_brighter_than_white_are_white_and_what_is_no_number_is_black(kind: str) -> None:
    scene = RGB.copy()
    scene[:8, :8] = (40, 0.5, np.inf)
    scene[-8:, :8] = (-0.5, np.nan, 1.2)
    expected = RGB.copy()
    expected[:8, :8] = (1, 0.5, 1)
    expected[-8:, :8] = (0, 0, 1)
    _assert_shows(tiff(scene.astype(kind)), expected)


def _with_range(values: Pixels, low: float, high: float) -> bytes:
    bands = values.shape[2]
    tags = [(tag, "d", bands, (end,) * bands, True) for tag, end in ((340, low), (341, high))]
    return tiff(values, extratags=tags)


@pytest.mark.parametrize("kind", ["f4", "f8", "i2", "i4", "u4"])
def test_measurements_are_shown_in_the_range_that_the_file_declares(kind: str) -> None:
    _assert_shows(_with_range((RGB * 9000 + 500).astype(kind), 500, 9500), RGB)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((RGB * 65000 + 500).astype("f4"), "floats from 500 to 65500, where 0 is black and 1"),
        (-RGB.astype("f4") - 1, "floats from -2 to -1, where"),
        (np.full_like(RGB, np.nan, dtype="f4"), "most of its floats are not numbers"),
        ((RGB * 4095).astype("u4"), "all black: the largest is 4095 of 4294967295"),
        ((RGB * 127).astype("i1"), "signed integers of 8 bits without SMinSampleValue"),
        ((RGB * 255).astype("i4"), "signed integers of 32 bits without SMinSampleValue"),
    ],
)
def test_numbers_whose_black_and_white_nobody_knows_are_refused(
    values: Pixels, reason: str
) -> None:
    with pytest.raises(PictureError, match=reason):
        convert(tiff(values), LOSSLESS)


def test_a_black_picture_of_wide_numbers_is_black() -> None:
    for kind in ("u4", "f4"):
        _assert_shows(tiff(np.zeros((HEIGHT, WIDTH, 3), kind)), np.zeros((HEIGHT, WIDTH, 3)))


def test_old_style_jpeg_shows_the_picture() -> None:
    image = photo(WIDTH, HEIGHT)
    _assert_shows(old_jpeg(image), pixels(image) / 255, 30)


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2), (4, 2)])
def test_ycbcr_that_is_not_compressed_shows_the_picture(across: int, down: int) -> None:
    image = photo(WIDTH, HEIGHT)
    result = _shown(ycbcr(image, across, down))
    assert result.mode == "RGB"
    assert np.abs(pixels(result) - pixels(image)).mean() < 4


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_in_either_direction_and_by_a_palette(bits: int) -> None:
    steps = 2**bits
    values = (np.arange(WIDTH * HEIGHT) % steps).astype("u1")
    fields = np.unpackbits(values).reshape(-1, 8)[:, 8 - bits :]
    data = np.packbits(fields).tobytes()
    grey = (values / (steps - 1)).reshape(HEIGHT, WIDTH, 1)
    _assert_shows(page(data, 1, [bits]), grey)
    _assert_shows(page(data, 0, [bits]), 1 - grey)
    colours = np.linspace(0, 65535, 3 * steps).astype("u2").reshape(3, steps)
    shown = colours[:, values].T.reshape(HEIGHT, WIDTH, 3) / 65535
    _assert_shows(page(data, 3, [bits], t320=(3, colours.ravel().tolist())), shown)


@pytest.mark.parametrize("extra", [(), (0,), (2,), (2, 0)])
def test_a_palette_may_have_other_channels_beside_it(extra: tuple[int, ...]) -> None:
    index = (np.arange(WIDTH * HEIGHT) % 256).astype("u1").reshape(HEIGHT, WIDTH, 1)
    colours = np.random.default_rng(1).integers(0, 65536, (3, 256)).astype("u2")
    shown = colours[:, index[:, :, 0]].transpose(1, 2, 0) / 65535
    bands = [numbers(clear() if kind else SPOT, "u1") for kind in extra]
    values = np.concatenate([index, *bands], 2)
    tags: dict[str, Any] = {"t320": (3, colours.ravel().tolist())}
    if extra:
        tags["t338"] = (3, extra)
    data = page(values.tobytes(), 3, [8] * values.shape[2], **tags)
    _assert_shows(data, np.concatenate([shown, clear()], 2) if 2 in extra else shown)


def test_12_bit_grey_shows_the_picture() -> None:
    _assert_shows(bits_12(GREY), GREY, 2)


def test_the_orientation_of_a_page_that_is_read_anew_is_applied() -> None:
    tags = [(274, "H", 1, 6, True)]
    values = np.concatenate([RGB, SPOT, clear()], 2)
    data = tiff(numbers(values, "u2"), extrasamples=[0, 2], extratags=tags)
    _assert_shows(data, np.rot90(np.concatenate([RGB, clear()], 2), -1))
    _assert_shows(tiff(RGB.astype("f4"), extratags=tags), np.rot90(RGB, -1))


def test_what_the_exif_of_such_a_page_says_is_kept_where_it_is_asked_for() -> None:
    tags = [(33432, "s", 0, "someone", True)]
    for options in ({}, BIG):
        data = tiff(RGB.astype("f4"), extratags=tags, **options)
        result = opened(convert(data, target(Format.JPG, keep=["copyright"])))
        assert result.getexif()[33432] == "someone"


@pytest.mark.parametrize(
    ("photometric", "bits", "more", "reason"),
    [
        (32803, [16], {}, "PhotometricInterpretation 32803 is not supported"),
        (32845, [16, 16, 16], {}, "PhotometricInterpretation 32845 is not supported"),
        (1, [16], {"t339": (3, [5])}, "SampleFormat 5 is not supported"),
        (2, [5, 6, 5], {}, "samples of different sizes"),
        (2, [4, 4, 4], {}, "RGB with 4 bits a sample"),
        (1, [24], {"t339": (3, [3])}, "24 bits a sample"),
        (2, [8], {}, "RGB with 1 samples a pixel is broken"),
        (5, [8] * 6, {"t332": (3, [2])}, "other inks than CMYK"),
        (2, [8, 8, 8], {"t254": (4, [1]), "t330": (4, [8])}, "camera raw .* only a preview"),
    ],
)
def test_a_kind_that_cannot_be_shown_is_refused_in_words(
    photometric: int, bits: list[int], more: dict[str, Any], reason: str
) -> None:
    data = page(bytes(WIDTH * HEIGHT * 12), photometric, bits, **more)
    with pytest.raises(PictureError, match=reason):
        convert(data, LOSSLESS)


def test_a_broken_old_style_jpeg_fails_and_is_not_shown_empty() -> None:
    data = old_jpeg(photo(WIDTH, HEIGHT))
    scan = data.index(b"\xff\xda")
    with pytest.raises(PictureError, match="old-style JPEG compression that cannot be read"):
        convert(data[:scan] + bytes(len(data) - scan), LOSSLESS)


def test_a_file_without_its_directory_is_refused_in_words() -> None:
    whole = encoded(photo(), "TIFF")
    for data in (whole[:12], whole[:4] + b"\xff\xff\xff\x7f" + whole[8:], by_tags({}, b"")):
        with pytest.raises(PictureError) as error:
            convert(data, LOSSLESS)
        assert " object at 0x" not in str(error.value)

"""Options as values: what is understood, what is refused and how, what is the same."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from app.core.errors import InvalidOption, UnsupportedFormat
from app.core.picture.conversion import Conversion, parse_conversion_request
from imaging.formats import Format
from imaging.measures import Size
from imaging.options import (
    DEFAULTS,
    MAX_SIDE,
    OPTION_NAMES,
    Alpha,
    Auto,
    Damaged,
    Effort,
    Fit,
    Gravity,
    Keep,
    Options,
    Placeholder,
)
from imaging.options.asked import parse_options, parse_q

MD5 = "0123456789abcdef" * 2
MAX_PIXELS = 50_000_000
ALL: dict[str, object] = {
    "formats": "AVIF,webp",
    "lossless": "true",
    "width": "640",
    "height": "480",
    "fit": "cover",
    "gravity": "attention",
    "trim": "0",
    "sharpen": "0.80",
    "background": "#0050C8",
    "alpha": "refuse",
    "damaged": "refuse",
    "effort": "small",
    "keep": "icc,copyright,location,date,creation",
    "placeholder": "BlurHash",
    "max_bytes": "1.5M",
    "q": "Auto",
}
"""Each option, as a form has it."""

PARSED = Options(
    lossless=True,
    formats=(Format.WEBP, Format.AVIF),
    width=640,
    height=480,
    fit=Fit.COVER,
    gravity=Gravity.ATTENTION,
    trim=0,
    sharpen=0.8,
    background="0050c8",
    alpha=Alpha.REFUSE,
    damaged=Damaged.REFUSE,
    effort=Effort.SMALL,
    keep=tuple(Keep),
    placeholder=Placeholder.BLURHASH,
    max_bytes=1_500_000,
    q=Auto.AUTO,
)


def _parsed(**given: object) -> Options:
    return parse_options(given, Effort.BALANCED, MAX_PIXELS)


def _wish(**given: object) -> Any:
    return parse_conversion_request(given, Effort.BALANCED, MAX_PIXELS)


def test_every_option_is_understood() -> None:
    assert set(ALL) == OPTION_NAMES
    assert _parsed(**ALL) == PARSED


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"width": 1, "height": MAX_SIDE}, {"width": 1, "height": MAX_SIDE}),
        ({"width": " 12 "}, {"width": 12}),
        ({"width": "007"}, {"width": 7}),
        ({"lossless": True}, {"lossless": True}),
        ({"lossless": "YES"}, {"lossless": True}),
        ({"lossless": 1}, {"lossless": True}),
        ({"lossless": "0"}, {}),
        ({"lossless": False}, {}),
        ({"trim": 255}, {"trim": 255}),
        ({"sharpen": "2"}, {"sharpen": 2}),
        ({"sharpen": 0.5}, {"sharpen": 0.5}),
        ({"sharpen": "1.50000001"}, {"sharpen": 1.5}),
        ({"sharpen": 10}, {"sharpen": 10}),
        ({"background": "FFF"}, {"background": "ffffff"}),
        ({"background": "#1a2"}, {"background": "11aa22"}),
        ({"background": "#A0b1C2"}, {"background": "a0b1c2"}),
        ({"width": 9, "fit": "INSIDE"}, {"width": 9}),
        ({"effort": "Fast"}, {"effort": Effort.FAST}),
        ({"keep": "date"}, {"keep": (Keep.DATE,)}),
        ({"keep": "date, COPYRIGHT ,date"}, {"keep": (Keep.COPYRIGHT, Keep.DATE)}),
        ({"max_bytes": "200K"}, {"max_bytes": 200_000}),
        ({"max_bytes": "0.5 mb"}, {"max_bytes": 500_000}),
        ({"max_bytes": "1.0015k"}, {"max_bytes": 1001}),
        ({"max_bytes": " 800b "}, {"max_bytes": 800}),
        ({"max_bytes": 64_000}, {"max_bytes": 64_000}),
        ({"keep": ["icc", "location"]}, {"keep": (Keep.LOCATION, Keep.ICC)}),
        (
            {"width": 9, "height": 9, "fit": "cover", "gravity": "center"},
            {"width": 9, "height": 9, "fit": Fit.COVER},
        ),
        ({"unknown": "x", "format": "webp", "quality": "high"}, {}),
    ],
)
def test_what_is_meant_is_understood(given: dict[str, object], expected: dict[str, Any]) -> None:
    assert _parsed(**given) == Options(**expected)


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_an_empty_value_is_the_default(nothing: object) -> None:
    assert _parsed(**dict.fromkeys(OPTION_NAMES, nothing)) == DEFAULTS
    assert parse_q(nothing) is None
    assert _parsed(keep=[]) == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(
            ("width", "height"),
            (0, -1, "-5", "0", MAX_SIDE + 1, "99999999999999999999", "12px", "1e3", "1.5", 1.5),
        ),
        *itertools.product(("width", "height"), (True, "٣", [10], {"a": 1}, "ten")),
        *itertools.product(("lossless",), ("maybe", 2, 1.0, [], {}, "on!")),
        *itertools.product(("trim",), (-1, 256, "1.5", True, "auto")),
        *itertools.product(("sharpen",), (0, 0.49, 10.01, "-1", "1e0", "nan", "inf", float("nan"))),
        *itertools.product(("sharpen",), (True, [1], {"a": 1}, "sharp", "9" * 99, "1.", "٣")),
        *itertools.product(("placeholder",), ("blur", 1, True)),
        *itertools.product(("background",), ("ffff", "#12345g", "red", "##fff", 255, "ffffff00")),
        *itertools.product(("effort",), ("slow", 3, True, ["fast"])),
        *itertools.product(("keep",), ("exif", "date,,icc", ["date", 5], 7, {"date": 1}, True)),
        *itertools.product(
            ("max_bytes",),
            (
                0,
                -1,
                "0",
                "0.0001K",
                "1G",
                "5KiB",
                "K",
                "1e3",
                1.5,
                "1.5",
                "1.5B",
                "0.5",
                "1000.0",
                True,
                "1000000K",
                10**9,
                "9" * 99,
            ),
        ),
        *itertools.product(("q",), (0, 101, "0", "101", "-1", "high", 80.5, True, [80], "9" * 99)),
    ],
)
def test_a_wrong_value_is_named_with_its_option(name: str, value: object) -> None:
    if value == []:  # is none at all
        assert _parsed(**{name: value}) == DEFAULTS
        return
    with pytest.raises(InvalidOption) as error:
        _wish(**{name: value})
    message = str(error.value)
    assert name in message
    wrong = {"date,,icc": "''", "['date', 5]": "5"}.get(str(value), repr(value))
    assert wrong[:40] in message
    assert len(message) < 200
    assert "\n" not in message


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"width": 9, "fit": "stretch"}, ("fit", "stretch")),
        ({"width": 9, "height": 9, "fit": "cover", "gravity": "north"}, ("gravity", "north")),
        ({"fit": "inside"}, ("fit", "width", "height")),
        ({"width": 9, "fit": "cover"}, ("fit=cover", "height")),
        ({"height": 9, "fit": "fill"}, ("fit=fill", "width")),
        ({"height": 9, "fit": "contain"}, ("fit=contain", "width")),
        ({"gravity": "attention"}, ("gravity", "fit=cover")),
        ({"width": 9, "height": 9, "gravity": "centre"}, ("gravity", "fit=cover")),
        (
            {"width": 16000, "height": 16000, "fit": "fill"},
            ("16000", "256000000", str(MAX_PIXELS)),
        ),
        ({"q": 80, "lossless": "true"}, ("q", "lossless")),
    ],
)
def test_what_does_not_go_together_is_said(
    given: dict[str, object], named: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidOption) as error:
        _wish(**given)
    for word in named:
        assert word in str(error.value)


def test_lossless_is_refused_where_the_format_cannot() -> None:
    for format in (Format.JPG, Format.GIF):
        with pytest.raises(InvalidOption, match=f"{format} cannot be lossless"):
            _wish(format=str(format), lossless="1").conversion(MD5, "image/png")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"background": "#FFF"}, {"background": "ffffff"}),
        ({"keep": "icc,date"}, {"keep": ["date", "icc", "date"]}),
        ({"width": "640"}, {"width": 640, "fit": "inside"}),
        ({"effort": "balanced"}, {}),
        ({"lossless": "no"}, {}),
        ({"sharpen": "1.504"}, {"sharpen": 1.5}),
        ({"sharpen": 1}, {"sharpen": "1.0"}),
        ({"format": "JPEG", "q": "80"}, {"format": "jpg", "q": 80}),
        ({"format": "same", "q": "80"}, {"format": "png", "q": 80}),
    ],
)
def test_what_is_the_same_is_one_job(one: dict[str, object], other: dict[str, object]) -> None:
    first = _wish(**one).conversion(MD5, "image/png")
    second = _wish(**other).conversion(MD5, "image/png")
    assert first == second
    assert first.job_id == second.job_id


def test_what_differs_is_a_job_of_its_own() -> None:
    values: dict[str, list[dict[str, Any]]] = {
        "lossless": [{}, {"lossless": True}],
        "size": [
            {},
            {"width": 9},
            {"height": 9},
            {"width": 9, "height": 9},
            {"width": 99},
            {"width": 9, "height": 9, "fit": "cover"},
            {"width": 9, "height": 9, "fit": "cover", "gravity": "attention"},
            {"width": 9, "height": 9, "fit": "contain"},
            {"width": 9, "height": 9, "fit": "fill"},
        ],
        "background": [{}, {"background": "fff"}, {"background": "000"}],
        "effort": [{}, {"effort": "fast"}, {"effort": "small"}],
        "keep": [{}, {"keep": "icc"}, {"keep": "date"}, {"keep": "icc,date"}],
    }
    ids = [
        _wish(**{name: value for part in parts for name, value in part.items()})
        .conversion(MD5, "image/png")
        .job_id
        for parts in itertools.product(*values.values())
    ]
    assert len(set(ids)) == len(ids) == 2 * 9 * 3 * 3 * 4
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,200}", job_id) for job_id in ids)


def test_without_options_an_id_is_as_it_was() -> None:
    conversion = _wish(format="jpg", quality="70").conversion(MD5, "image/png")
    assert conversion.job_id == f"{MD5}-jpg-70"
    assert conversion.is_plain
    assert _wish(effort="balanced").conversion(MD5, "image/png").is_plain
    assert not _wish(effort="fast").conversion(MD5, "image/png").is_plain


@pytest.mark.parametrize("options", [DEFAULTS, PARSED, Options(width=9), Options(keep=(Keep.ICC,))])
def test_options_survive_their_way_through_json(options: Options) -> None:
    back = Options.from_dict(json.loads(json.dumps(options.to_dict())))
    assert back == options
    assert type(back.fit) is Fit
    assert back.effort is None or type(back.effort) is Effort
    conversion = Conversion(MD5, Format.PNG, 40, options)
    again = Conversion.from_dict(json.loads(json.dumps(conversion.to_dict())))
    assert again == conversion
    assert again.job_id == conversion.job_id


def test_the_defaults_are_nothing() -> None:
    assert DEFAULTS.to_dict() == {}
    assert DEFAULTS.name == ""
    assert str(DEFAULTS) == ""
    assert str(PARSED).startswith("formats=webp,avif lossless=true width=640 height=480")


@pytest.mark.parametrize("default", list(Effort))
def test_an_effort_that_is_the_default_is_the_default(default: Effort) -> None:
    for effort in Effort:
        options = parse_options({"effort": str(effort)}, default, MAX_PIXELS)
        assert options.effort is (None if effort is default else effort)
    assert parse_options({}, default, MAX_PIXELS) == DEFAULTS


@pytest.mark.parametrize(("value", "number"), [(1, 1), ("100", 100), (" 42 ", 42), ("007", 7)])
def test_q_is_a_number_from_1_to_100(value: object, number: int) -> None:
    assert parse_q(value) == number
    for format in (Format.JPG, Format.WEBP, Format.AVIF, Format.PNG):
        assert _wish(format=str(format), q=value).conversion(MD5, "image/png").quality == number
    assert _wish(format="gif", q=value).conversion(MD5, "image/png").quality == 0


def test_quality_is_of_the_kept_api_and_counts_for_jpg_alone() -> None:
    for format in Format:
        conversion = _wish(format=str(format), quality="30").conversion(MD5, "image/png")
        assert conversion.quality == (30 if format is Format.JPG else 0)
    assert _wish(format="jpg", quality=30, q=60).conversion(MD5, "image/png").quality == 60


@pytest.mark.parametrize(
    ("media_type", "format"),
    [
        *(("image/jpeg", Format.JPG), ("image/png", Format.PNG), ("image/apng", Format.PNG)),
        *(("image/webp", Format.WEBP), ("image/gif", Format.GIF), ("image/avif", Format.AVIF)),
    ],
)
def test_same_is_the_format_that_comes_in(media_type: str, format: Format) -> None:
    assert _wish(format=" Same ").conversion(MD5, media_type).format is format


@pytest.mark.parametrize("media_type", ["image/heic", "image/tiff", "image/bmp", "image/jp2"])
def test_same_is_refused_for_what_is_not_written(media_type: str) -> None:
    with pytest.raises(UnsupportedFormat, match=media_type):
        _wish(format="same").conversion(MD5, media_type)


def test_within_a_large_width_and_height_a_picture_gets_no_larger() -> None:
    assert _parsed(width=16000, height=16000) == Options(width=16000, height=16000)


@pytest.mark.parametrize(
    ("given", "size", "format"),
    [
        ({}, (16383, 9), "webp"),
        ({"format": "avif"}, (9, 16384), "avif"),
        ({"format": "png"}, (70000, 9), "png"),
        ({"width": "16383"}, (20000, 8), "webp"),
        ({"width": "4", "height": "9", "fit": "cover"}, (20000, 20000), "webp"),
        ({"width": "9000", "height": "9000"}, (20000, 8), "webp"),
        # It may have to be turned, which the header of the picture alone does not say.
        ({"width": "20"}, (20, 20000), "webp"),
    ],
)
def test_what_the_format_holds_is_taken(
    given: dict[str, object], size: tuple[int, int], format: str
) -> None:
    assert _wish(**given).conversion(MD5, "image/png", Size(*size)).format == format


@pytest.mark.parametrize(
    ("given", "size", "message"),
    [
        (
            {},
            (20000, 8),
            "webp holds 16383 pixels a side, and the picture would have 20000 × 8: ask for a "
            "smaller width or height, or for one of png, jpg, gif",
        ),
        ({"format": "avif"}, (8, 16385), "avif holds 16384 pixels a side"),
        ({"format": "jpg"}, (65501, 8), "jpg holds 65500 pixels a side"),
        ({"format": "gif"}, (65536, 8), "gif holds 65535 pixels a side"),
    ],
)
def test_what_the_format_does_not_hold_is_refused_in_a_sentence(
    given: dict[str, object], size: tuple[int, int], message: str
) -> None:
    with pytest.raises(InvalidOption) as error:
        _wish(**given).conversion(MD5, "image/png", Size(*size))
    assert str(error.value).startswith(message)


def test_what_may_be_cut_off_is_not_refused_by_its_size() -> None:
    large = Size(20_000, 40)
    assert _wish(trim=10).conversion(MD5, "image/png", large).options.trim == 10
    with pytest.raises(InvalidOption, match="16383 pixels a side"):
        _wish(sharpen=1).conversion(MD5, "image/png", large)

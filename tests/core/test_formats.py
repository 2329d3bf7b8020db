"""Fields that leave the format open."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.config.load import load_settings
from app.core.config.sources import ConfigError
from app.core.errors import InvalidOption, NotAllowed, TinyImageError, UnsupportedFormat
from app.core.picture.conversion import Conversion, parse_conversion_request
from app.core.picture.formats import opened
from app.core.picture.presets import Presets
from imaging.formats import AUTO_FORMATS, Format
from imaging.measures import Size
from imaging.options import Effort

MD5 = "0123456789abcdef" * 2


def conversion(size: Size | None = None, **given: Any) -> Conversion:
    whole = opened(given, AUTO_FORMATS)
    request = parse_conversion_request(whole, Effort.BALANCED, 50_000_000)
    return request.conversion(MD5, "image/jpeg", size)


@pytest.mark.parametrize(
    ("given", "formats"),
    [
        ({"format": "auto"}, "webp,png,jpg,avif"),
        ({"format": " AUTO "}, "webp,png,jpg,avif"),
        ({"format": ["auto"]}, "webp,png,jpg,avif"),
        ({"formats": "auto"}, "webp,png,jpg,avif"),
        ({"format": "avif, JPEG,webp,,avif"}, "webp,jpg,avif"),
        ({"format": ["avif", "jpeg"]}, "jpg,avif"),
        ({"formats": ["jpg", "webp"]}, "webp,jpg"),
        ({"format": "auto,"}, "webp,png,jpg,avif"),
        ({"format": "auto", "lossless": "true"}, "webp,png,avif"),
    ],
)
def test_a_list_is_the_same_however_it_is_written(given: dict[str, Any], formats: str) -> None:
    assert opened(given, AUTO_FORMATS)["formats"] == formats
    assert "format" not in opened(given, AUTO_FORMATS)


@pytest.mark.parametrize(
    "given",
    [{"format": "webp,"}, {"format": ["webp"]}, {"formats": "webp"}, {"format": "webp,WebP"}],
)
def test_a_list_of_one_is_that_format_and_the_same_job(given: dict[str, Any]) -> None:
    assert conversion(**given) == conversion(format="webp")
    assert conversion(**given).job_id == f"{MD5}-webp-0"


def test_the_job_is_named_by_what_may_come_and_by_one_quality_for_all() -> None:
    job_id = conversion(format="jpg,avif").job_id
    assert job_id == f"{MD5}-auto-80-formats_jpg_avif"
    assert conversion(format="avif,jpg", quality="80").job_id == job_id
    assert conversion(format="avif,jpg", q="80").job_id == job_id
    assert conversion(format="avif,jpg", q="70").quality == 70
    assert conversion(format="avif,jpg", quality="70").quality == 70
    assert conversion(format="avif,jpg", q="auto").quality == 0
    assert conversion(format="avif,webp", lossless="yes").quality == 0
    # No quality is sought in any of them.
    assert conversion(format="png,gif", q="auto") == conversion(format="png,gif")
    kept = conversion(format="auto", width="60")
    assert Conversion.from_dict(kept.to_dict()) == kept
    assert not kept.is_plain


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"format": "webp,bmp"}, UnsupportedFormat, "choose one of webp"),
        ({"format": "same,webp"}, UnsupportedFormat, "choose one of webp"),
        ({"format": ","}, UnsupportedFormat, "choose one of webp"),
        ({"format": [None, "webp"]}, UnsupportedFormat, "choose one of webp"),
        ({"format": [["webp"]]}, UnsupportedFormat, "choose one of webp"),
        ({"formats": 7}, UnsupportedFormat, "choose one of webp"),
        ({"format": "bmp"}, UnsupportedFormat, "or several of the formats, such as webp,jpg"),
        ({"format": "auto,webp"}, UnsupportedFormat, "auto stands alone"),
        ({"formats": ["png", "AUTO"]}, UnsupportedFormat, "auto stands alone"),
        ({"format": "auto", "formats": "webp"}, InvalidOption, "exclude each other"),
        ({"format": "jpg", "formats": "webp,png"}, InvalidOption, "exclude each other"),
        ({"format": "jpg,gif", "lossless": "1"}, InvalidOption, "can be lossless"),
    ],
)
def test_what_cannot_be_is_said(
    given: dict[str, Any], error: type[TinyImageError], message: str
) -> None:
    with pytest.raises(error, match=message):
        conversion(**given)


def test_a_picture_that_none_of_them_holds_is_refused_and_one_that_some_do_is_taken() -> None:
    wide = Size(17_000, 20)
    assert conversion(wide, format="webp,jpg").options.formats == (Format.WEBP, Format.JPG)
    with pytest.raises(InvalidOption, match="webp holds 16383 pixels a side"):
        conversion(wide, format="avif,webp")


def test_what_a_key_may_not_have_is_left_out() -> None:
    allowed = frozenset({Format.WEBP, Format.PNG})
    assert opened({"format": "auto"}, AUTO_FORMATS, allowed)["formats"] == "webp,png"
    assert opened({"format": "avif,png"}, AUTO_FORMATS, allowed) == {"format": "png"}
    with pytest.raises(NotAllowed, match="gives webp, png, and not jpg, avif"):
        opened({"format": "avif,jpg"}, AUTO_FORMATS, allowed)


def test_a_clients_own_format_wins_over_several_of_a_preset_and_the_other_way_round() -> None:
    presets = Presets({"small": {"format": "auto"}, "listed": {"formats": ["webp", "avif"]}})
    for name in ("small", "listed"):
        for own in ({"format": "png"}, {"formats": "png"}):
            whole = presets.opened(presets.expanded({"preset": name, **own}), None)
            assert whole["format"] == "png"
            assert "formats" not in whole


@pytest.mark.usefixtures("no_config")
def test_the_operator_says_what_auto_may_become(monkeypatch: pytest.MonkeyPatch) -> None:
    variable = "TINYIMAGE_ENGINE__AUTO_FORMATS"
    assert load_settings().asked.auto == AUTO_FORMATS
    monkeypatch.setenv(variable, "jpg, webp")
    assert load_settings().asked.auto == (Format.JPG, Format.WEBP)
    for wrong in ("webp,bmp", "[]", ""):
        monkeypatch.setenv(variable, wrong)
        with pytest.raises(ConfigError, match=r"engine\.auto_formats"):
            load_settings()

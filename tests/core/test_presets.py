"""Presets and the limits of API keys in the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.config.load import load_settings
from app.core.config.sources import ConfigError
from app.core.errors import InvalidOption, NotAllowed
from app.core.picture.presets import Allowed, Presets
from imaging.formats import Format

KEY = "0123456789abcdef"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYIMAGE_CONFIG", raising=False)


def _refusal(tmp_path: Path, text: str) -> str:
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load_settings()
    return str(error.value)


def test_presets_come_from_the_file_and_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(
        "presets:\n  thumb: {format: webp, width: 30, keep: [icc]}\npresets_only: true\n"
    )
    settings = load_settings()
    assert settings.presets == {"thumb": {"format": "webp", "width": 30, "keep": ["icc"]}}
    assert settings.asked.only
    monkeypatch.setenv("TINYIMAGE_PRESETS", '{"mini": {"width": "9"}}')
    monkeypatch.setenv("TINYIMAGE_PRESETS_ONLY", "false")
    assert load_settings().presets == {"mini": {"width": "9"}}
    assert not load_settings().presets_only


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "presets: {thumb: {widht: 30}}",
            "presets.thumb: widht is not an option; there are alpha, ",
        ),
        (
            "presets: {thumb: {width: 0}}",
            "presets.thumb: width should be pixels, from 1 to 16383 (it is 0)",
        ),
        ("presets: {a: {q: 80}, b: {format: bmp}}", "presets.b: Unsupported format"),
        ("presets: {thumb: {fit: cover}}", "presets.thumb: fit needs a width or a height"),
        ("presets: {thumb: {quality: 300}}", "presets.thumb: quality should be a number from 1"),
        (
            "limits: {max_pixels: 99}\npresets: {x: {width: 10, height: 10, fit: fill}}",
            "presets.x: 10 × 10 is 100 pixels, more than the 99 allowed",
        ),
        ("presets: {x: {format: gif, lossless: true}}", "presets.x: gif cannot be lossless"),
        ("presets: {'a b': {width: 9}}", "presets.a b: names should be letters"),
        ("presets: {thumb: 30}", "presets.thumb: "),
        ("presets_only: true", "presets_only: needs presets"),
    ],
)
def test_a_wrong_preset_is_named_with_its_option(tmp_path: Path, text: str, told: str) -> None:
    assert _refusal(tmp_path, text).startswith(told)


def test_a_key_may_have_limits_beside_plain_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = f"{{key: {KEY}2, formats: [webp, avif], options: [width, q]}}"
    (tmp_path / "config.yaml").write_text(
        f"auth:\n  api_keys:\n    shop: {KEY}\n    partner: {limits}\n"
    )
    partner = Allowed(frozenset({Format.WEBP, Format.AVIF}), frozenset({"width", "q"}))
    asked = load_settings().asked
    assert asked.of_key("shop") == asked.of_key(None) == Allowed()
    assert asked.of_key("partner") == partner
    given = {"shop": KEY, "partner": {"key": f"{KEY}2", "formats": ["webp"], "options": []}}
    monkeypatch.setenv("TINYIMAGE_AUTH__API_KEYS", json.dumps(given))
    asked = load_settings().asked
    assert asked.of_key("partner") == Allowed(frozenset({Format.WEBP}), frozenset())


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ("formats: [bmp]", "auth.api_keys: formats should be some of webp"),
        ("options: [size]", "auth.api_keys: options should be some of alpha"),
        ("wishes: [q]", "auth.api_keys: has a setting it does not know"),
    ],
)
def test_wrong_limits_of_a_key_are_named_and_the_key_is_not(
    tmp_path: Path, limits: str, told: str
) -> None:
    refusal = _refusal(tmp_path, f"auth:\n  api_keys:\n    a: {{key: {KEY}, {limits}}}\n")
    assert refusal.startswith(told)
    assert KEY not in refusal


PRESETS = Presets(
    {"thumb": {"format": "webp", "width": 30, "q": 40}, "exact": {"lossless": True}},
    allowed={"partner": Allowed(frozenset({Format.WEBP}), frozenset({"width"}))},
)


@pytest.mark.parametrize(
    ("given", "expanded"),
    [
        ({"preset": "thumb"}, {"format": "webp", "width": 30, "q": 40}),
        ({"preset": " thumb ", "width": "50"}, {"format": "webp", "width": "50", "q": 40}),
        ({"preset": "thumb", "width": " "}, {"format": "webp", "width": 30, "q": 40}),
        ({"preset": "thumb", "quality": 90}, {"format": "webp", "width": 30, "quality": 90}),
        ({"preset": "thumb", "lossless": "1"}, {"format": "webp", "width": 30, "lossless": "1"}),
        ({"preset": "exact", "q": 7}, {"q": 7}),
        ({"width": 3}, {"width": 3}),
        ({"preset": ""}, {}),
    ],
)
def test_own_options_win_over_those_of_the_preset(
    given: dict[str, object], expanded: dict[str, object]
) -> None:
    fields = {name: value for name, value in PRESETS.expanded(given).items() if name != "preset"}
    assert fields == expanded


@pytest.mark.parametrize("name", ["Thumb", "other", 7, ["thumb"]])
def test_an_unknown_preset_is_refused_with_those_there_are(name: object) -> None:
    with pytest.raises(InvalidOption, match="preset should be one of thumb, exact"):
        PRESETS.expanded({"preset": name})


def test_a_key_gives_what_its_lists_have_and_any_preset() -> None:
    PRESETS.check({"width": 30, "format": "png", "preset": "exact", "q": ""}, "partner")
    PRESETS.check({"q": 30}, "shop")
    with pytest.raises(NotAllowed, match="This API key allows width, and not q"):
        PRESETS.check({"q": 30}, "partner")
    with pytest.raises(NotAllowed, match="gives webp, and not png"):
        PRESETS.of_key("partner").check_format(Format.PNG)

"""The settings that say who may use the server, and how much."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.config.load import load_settings
from app.core.config.sources import ConfigError

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYIMAGE_CONFIG", raising=False)


def _keys() -> dict[str, str]:
    keys = load_settings().auth.api_keys
    return {name: key.key.get_secret_value() for name, key in keys.items()}


def test_without_keys_the_server_is_open() -> None:
    assert _keys() == {}


def test_keys_come_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(f"auth:\n  api_keys:\n    shop: {KEY}\n")
    assert _keys() == {"shop": KEY}


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (f'{{"shop": "{KEY}", "blog": "{OTHER}"}}', {"shop": KEY, "blog": OTHER}),
        (f"shop:{KEY}, blog:{OTHER}", {"shop": KEY, "blog": OTHER}),
        (f"shop:{KEY}:with:colons", {"shop": f"{KEY}:with:colons"}),
        (f" {KEY} ", {"default": KEY}),
        ("", {}),
    ],
)
def test_keys_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str, keys: dict[str, str]
) -> None:
    monkeypatch.setenv("TINYIMAGE_AUTH__API_KEYS", value)
    assert _keys() == keys


@pytest.mark.parametrize(
    "value",
    [
        "swordfish",
        "shop:swordfish",
        "shop:swordfish swordfish",
        '{"shop": "swordfish"}',
        '{"shop": swordfish',
        '["swordfish swordfish"]',
        '{"shop": ["swordfish swordfish"]}',
        "shop name:swordfishswordfish",
        "a:swordfishswordfish,b:swordfishswordfish",
        "a:swordfishswordfish,a:swordfishswordfisi",
    ],
)
def test_a_wrong_key_stops_the_start_with_a_line_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TINYIMAGE_AUTH__API_KEYS", value)
    with pytest.raises(ConfigError, match=r"^auth\.api_keys: ") as error:
        load_settings()
    assert "swordfish" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_key_that_was_put_in_the_place_of_a_name_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYIMAGE_AUTH__SWORDFISH", "swordfish")
    with pytest.raises(ConfigError, match=r"^auth: ") as error:
        load_settings()
    assert "swordfish" not in str(error.value)


def test_keys_are_not_shown_where_settings_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYIMAGE_AUTH__API_KEYS", f"shop:{KEY}")
    settings = load_settings()
    assert KEY not in repr(settings)
    assert KEY not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", ["*"]),
        (
            "https://Example.org, http://localhost:3000",
            ["https://example.org", "http://localhost:3000"],
        ),
        ('["https://example.org"]', ["https://example.org"]),
        ("", []),
    ],
)
def test_origins_are_a_list(
    monkeypatch: pytest.MonkeyPatch, value: str, origins: list[str]
) -> None:
    monkeypatch.setenv("TINYIMAGE_CORS__ORIGINS", value)
    assert load_settings().cors.origins == origins


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS__ORIGINS", "example.org"),
        ("CORS__ORIGINS", "https://example.org/path"),
        ("LIMITS__RATE", "lots"),
        ("LIMITS__RATE", "0/minute"),
        ("LIMITS__RATE", "1/second; 10/minute"),
        ("LIMITS__MAX_QUEUE", "-1"),
        ("LIMITS__SOCKETS", "0"),
        ("SERVER__PROXIES_COUNT", "-1"),
        ("LOGS__FORMAT", "xml"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TINYIMAGE_{name}", value)
    with pytest.raises(ConfigError, match=name.lower().replace("__", ".")):
        load_settings()

"""The settings of webhooks: wrong ones end the start with a line that shows no secret."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.config.load import load_settings
from app.core.config.sources import ConfigError
from app.core.config.webhooks import Destination
from app.core.errors import InvalidOption, NotAllowed
from app.core.picture.recipients import EventType, Recipient
from app.intake.webhooks import recipients_of
from tests.receiver import OTHER_SECRET, SECRET

URL = "https://shop.example.org/hooks?token=of-the-operator"
KEY = "key-of-16-characters"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def _set(monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value)
        monkeypatch.setenv(f"TINYIMAGE_{name}", text)


def test_an_endpoint_is_told_of_its_keys_and_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints = {
        "shop": {"url": URL, "secret": SECRET, "keys": ["shop"], "events": ["image.failed"]},
        "all": {"url": URL, "secret": f"{OTHER_SECRET},{SECRET}"},
    }
    _set(monkeypatch, WEBHOOKS__ENDPOINTS=endpoints, AUTH__API_KEYS=f"shop:{KEY}")
    settings = load_settings()
    shop = Recipient(name="shop", events=(EventType.IMAGE_FAILED,))
    everything = Recipient(name="all")
    assert recipients_of(settings, "shop") == (shop, everything)
    assert recipients_of(settings, "other") == recipients_of(settings, None) == (everything,)
    found = settings.webhooks.destination(everything)
    assert found == Destination(URL, (OTHER_SECRET, SECRET))
    assert settings.webhooks.destination(Recipient(name="gone")) is None
    assert settings.webhooks.destination(Recipient(url=URL)) is None
    for shown in (repr(settings), repr(settings.webhooks), repr(found)):
        assert not any(secret in shown for secret in (SECRET, OTHER_SECRET, "of-the-operator"))


def test_a_secret_may_come_from_the_environment_and_the_rest_from_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(f"webhooks: {{endpoints: {{shop: {{url: '{URL}'}}}}}}")
    _set(monkeypatch, WEBHOOKS__ENDPOINTS__SHOP__SECRET=SECRET)
    settings = load_settings(file)
    destination = settings.webhooks.destination(Recipient(name="shop"))
    assert destination == Destination(URL, (SECRET,))


def test_an_upload_may_name_a_url_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotAllowed, match="'webhook' is not allowed here"):
        recipients_of(load_settings(), None, URL)
    _set(monkeypatch, WEBHOOKS__ANY="true", WEBHOOKS__SECRET=SECRET)
    settings = load_settings()
    assert recipients_of(settings, None, f" {URL} ") == (Recipient(url=URL),)
    assert recipients_of(settings, None, "") == recipients_of(settings, None) == ()
    for wrong in ("http://10.0.0.1/", "http://localhost:22/", "hooks", 5, True, "http://" * 200):
        with pytest.raises(InvalidOption, match="'webhook'"):
            recipients_of(settings, None, wrong)


SHOP = {"url": URL, "secret": SECRET}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ENDPOINTS": {"shop": {"url": URL}}}, "webhooks.endpoints.shop.secret: field required"),
        ({"ENDPOINTS": {"shop": {"secret": SECRET}}}, "webhooks.endpoints.shop.url: "),
        ({"ENDPOINTS": {"shop": {**SHOP, "secret": "abc"}}}, "shop.secret: should be whsec_ and"),
        ({"ENDPOINTS": {"shop": {**SHOP, "secret": SECRET[6:]}}}, "should be whsec_ and 24 to 64"),
        ({"ENDPOINTS": {"shop": {**SHOP, "secret": "whsec_c2hvcnQ="}}}, "24 to 64 bytes in base64"),
        ({"ENDPOINTS": {"shop": {**SHOP, "secret": ""}}}, "webhooks.endpoints.shop.secret: "),
        ({"ENDPOINTS": {"shop": {**SHOP, "events": ["image.gone"]}}}, "shop.events"),
        ({"ENDPOINTS": {"shop": {**SHOP, "events": []}}}, "shop.events"),
        ({"ENDPOINTS": {"shop": {**SHOP, "keys": ["x"]}}}, "shop.keys: there is no API key of"),
        (
            {"ENDPOINTS": {"shop": {**SHOP, "more": SECRET}}},
            "endpoints.shop has a setting it does not",
        ),
        ({"ENDPOINTS": {"shop": {**SHOP, SECRET: 1}}}, "webhooks.endpoints.shop"),
        ({"ENDPOINTS": {"a b": SHOP}}, "webhooks.endpoints: names should be"),
        (
            {"ENDPOINTS": {"shop": {**SHOP, "url": "http://10.0.0.1/"}}},
            "webhooks.endpoints.shop.url: The URL does not lead to a public address",
        ),
        ({"ENDPOINTS": {"shop": {**SHOP, "url": "shop"}}}, "webhooks.endpoints.shop.url: "),
        ({"ENDPOINTS": "{" + SECRET}, "webhooks.endpoints: should be JSON"),
        ({"ANY": "true"}, "webhooks.secret: is needed with any"),
        ({"ANY": "true", "SECRET": "whsec_no"}, "webhooks.secret: should be whsec_"),
        ({"RETRIES": "5,-1"}, "webhooks.retries"),
        ({"RETRIES": ""}, "webhooks.retries"),
        ({"TIMEOUT": "0"}, "webhooks.timeout"),
    ],
)
def test_a_wrong_setting_is_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, object], said: str
) -> None:
    _set(monkeypatch, **{f"WEBHOOKS__{name}": value for name, value in settings.items()})
    with pytest.raises(ConfigError) as error:
        load_settings()
    text = str(error.value)
    assert said in text
    assert "\n" not in text
    assert not [secret for secret in (SECRET, SECRET[6:], "operator", "abc") if secret in text]

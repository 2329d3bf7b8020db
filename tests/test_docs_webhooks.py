"""The examples of docs/webhooks.md do what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from app.core.config.webhooks import check_secrets
from app.outgoing.rules import Rules
from app.outgoing.webhook import post
from bench.launch import ROOT
from tests.receiver import OTHER_SECRET, SECRET, Received, receiver

TEXT = '{"type":"image.done","data":{"filename":"é.jpg"}}'


def _blocks(language: str) -> list[str]:
    text = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def came() -> Iterator[Received]:
    """A message, with the signatures of two secrets."""
    with receiver() as running:
        rules = Rules(allowed_networks=("127.0.0.1/32",))
        post(running.url, "evt_1", TEXT, [SECRET, OTHER_SECRET], rules)
        yield running.received[0]


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_the_receiver_with_the_library_takes_each_event_once(came: Received, secret: str) -> None:
    handled: list[Any] = []
    seen: set[str] = set()
    here: dict[str, Any] = {
        "handle": lambda *event: handled.append(event),
        "remembered": lambda id: id in seen or bool(seen.add(id)),  # type: ignore[func-returns-value]
    }
    exec(_blocks("python")[0], here)
    headers = dict(came.headers)
    assert [here["receive"](headers, came.body, secret) for _ in range(2)] == [204, 204]
    assert handled == [("image.done", {"filename": "é.jpg"})]
    assert here["receive"](headers, came.body + b" ", secret) == 400
    assert here["receive"](headers, came.body, "whsec_" + "A" * 32) == 400


@pytest.mark.parametrize("secret", [SECRET, OTHER_SECRET])
def test_the_receiver_without_a_library_verifies_too(came: Received, secret: str) -> None:
    here: dict[str, Any] = {}
    exec(_blocks("python")[1], here)
    headers = dict(came.headers)
    assert here["verify"](headers, came.body, secret) == json.loads(TEXT)
    for wrong in (
        {"body": came.body + b" "},
        {"secret": "whsec_" + "A" * 32},
        {"headers": {**headers, "webhook-id": "evt_2"}},
        {"headers": {**headers, "webhook-timestamp": "1700000000"}},
    ):
        given = {"headers": headers, "body": came.body, "secret": secret, **wrong}
        with pytest.raises(ValueError, match=r"wrong signature|too old"):
            here["verify"](**given)


def test_the_line_that_makes_a_secret_makes_one(capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = [block for block in _blocks("sh") if "whsec_" in block]
    match = re.search(r"-c '(.*)'", line)
    assert match
    exec(match[1], {})
    secret = capsys.readouterr().out.strip()
    assert check_secrets((SecretStr(secret),))

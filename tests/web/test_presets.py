"""Presets, and what an API key may ask for, over HTTP, a socket and the Tinify API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.pictures import md5, opened, photograph, snapshot, unique
from tests.service import NO_TLS, Client, Service
from tests.web.contract import Contract
from tests.web.keys import KEY, OTHER

PRESETS = {
    "thumb": {"format": "webp", "width": 30, "height": 20, "fit": "cover", "q": 40},
    "small": {"width": 50, "effort": "fast"},
}
PARTNER = {"key": OTHER, "formats": ["webp", "png"], "options": ["width"]}


def _service(folder: Path, **settings: Any) -> Iterator[Service]:
    server = Service(folder, PRESETS=json.dumps(PRESETS), **settings)
    try:
        yield server.ready()
    finally:
        server.terminate()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server with presets and a key that has limits."""
    keys = json.dumps({"shop": KEY, "partner": PARTNER})
    yield from _service(tmp_path_factory.mktemp("keyed"), AUTH__API_KEYS=keys)


@pytest.fixture(scope="module")
def only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server that takes presets alone."""
    yield from _service(tmp_path_factory.mktemp("only"), PRESETS_ONLY="true")


def _client(server: Service, key: str) -> Client:
    client = server.client()
    client.http.headers["X-API-Key"] = key
    return client


def test_a_preset_and_its_options_are_one_job_at_an_upload_a_socket_and_a_download(
    keyed: Service,
) -> None:
    shop = _client(keyed, KEY)
    picture = snapshot()
    answer = shop.upload(picture, preset="thumb", format="")
    assert answer.status_code == 202
    full = {"width": "30", "height": "20", "fit": "cover", "q": "40"}
    again = shop.upload(picture, "webp", **full)
    assert again.json()["options"] == answer.json()["options"]
    with connect(keyed.ws_url, additional_headers={"X-API-Key": KEY}, max_size=None) as ws:
        data = base64.b64encode(picture).decode()
        ws.send(json.dumps({"preset": "thumb", "data": data}))
        done: dict[str, Any] = {}
        while done.get("status") != "done":
            done = json.loads(ws.recv(timeout=60))
            assert done["options"] == answer.json()["options"]
    assert len(shop.wait(md5(picture))) == 1
    found = shop.download(md5(picture), preset="thumb")
    assert opened(found.content).size == (30, 20)
    assert "immutable" in found.headers["cache-control"]
    assert shop.download(md5(picture), preset="thumb", width=31).status_code == 404
    shop.upload(picture, preset="thumb", width="31", format="")
    shop.wait(md5(picture))
    assert opened(shop.download(md5(picture), preset="thumb", width=31).content).size == (31, 20)


def test_what_is_unknown_or_not_allowed_is_said(keyed: Service) -> None:
    contract = Contract(keyed.url)
    partner, picture = _client(keyed, OTHER), snapshot()

    def refused(format: str, **fields: str) -> tuple[int, str, str]:
        answer = partner.upload(picture, format, **fields)
        contract.check(answer)
        return answer.status_code, answer.json()["error"], answer.json()["message"]

    assert refused("webp", preset="huge") == (
        *(400, "invalid_option"),
        "preset should be one of thumb, small (it is 'huge')",
    )
    assert refused("jpg") == (403, "not_allowed", "This API key gives webp, png, and not jpg")
    assert refused("same")[1] == "not_allowed"
    assert refused("webp", width="9", q="80") == (
        *(403, "not_allowed"),
        "This API key allows width, and not q",
    )
    assert partner.download(md5(picture), preset="huge").status_code == 400
    # What the operator put into a preset is not the client's.
    assert partner.upload(picture, preset="thumb", format="").status_code == 202
    assert partner.upload(picture, "png", width="9").status_code == 202
    assert _client(keyed, KEY).upload(picture, "jpg", q="80").status_code == 202


def test_a_format_that_is_left_open_is_one_that_the_key_gives(keyed: Service) -> None:
    partner, picture = _client(keyed, OTHER), snapshot()
    answer = partner.upload(picture, "auto")
    assert answer.json()["options"] == {"formats": ["webp", "png"]}
    assert partner.upload(picture, "avif,png").json()["format"] == "png"
    refused = partner.upload(picture, "avif,jpg")
    assert (refused.status_code, refused.json()["error"]) == (403, "not_allowed")
    shop = _client(keyed, KEY)
    assert shop.upload(picture, "auto").json()["options"] != answer.json()["options"]
    # What each of them has asked for is what each of them finds.
    jobs = {
        tuple(job.get("options", {}).get("formats", ())): job for job in partner.wait(md5(picture))
    }
    assert jobs[("webp", "png")]["format"] == "webp"
    for client in (partner, shop):
        found = client.download(md5(picture), formats="auto")
        limits = ("webp", "png") if client is partner else ("webp", "png", "jpg", "avif")
        assert found.headers["content-type"] == f"image/{jobs[limits]['format']}"
    assert partner.download(md5(picture), format="avif,jpg").status_code == 404


def test_a_socket_has_the_limits_of_its_key(keyed: Service) -> None:
    data = base64.b64encode(photograph("rocket")).decode()
    with connect(keyed.ws_url, max_size=None) as ws:
        ws.send(json.dumps({"api_key": OTHER}))
        assert json.loads(ws.recv(timeout=30)) == {"status": "authorized"}
        ws.send(json.dumps({"format": "jpg", "data": data}))
        answer = json.loads(ws.recv(timeout=30))
        assert answer["message"] == "not_allowed"
        assert answer["detail"] == "This API key gives webp, png, and not jpg"
        ws.send(json.dumps({"format": "webp", "keep": "icc", "binary": True}))
        ws.send(photograph("rocket"))
        assert json.loads(ws.recv(timeout=30))["message"] == "not_allowed"


def test_the_tinify_api_has_the_limits_of_its_key(keyed: Service) -> None:
    with httpx.Client(
        base_url=keyed.url, auth=("api", OTHER), timeout=60, verify=NO_TLS
    ) as partner:
        refused = partner.post("/shrink", content=snapshot())
        assert (refused.status_code, refused.json()["error"]) == (403, "Forbidden")
        assert "not jpg" in refused.json()["message"]
        taken = partner.post("/shrink", content=unique(photograph("chelsea")))
        assert taken.status_code == 201
        place = taken.headers["location"]

        def command(**commands: Any) -> httpx.Response:
            return partner.post(place, json=commands)

        assert command(convert={"type": "image/jpeg"}).status_code == 403
        assert command(convert={"type": "image/webp", "quality": 50}).status_code == 403
        assert command(resize={"method": "fit", "width": 9, "height": 9}).status_code == 403
        scaled = command(resize={"method": "scale", "width": 40})
        assert (scaled.status_code, scaled.headers["image-width"]) == (200, "40")
        # Of several types those that it may have.
        assert command(convert={"type": "*/*"}).headers["content-type"] in (
            "image/webp",
            "image/png",
        )
        thumb = command(convert={"preset": "thumb"})
        assert thumb.headers["content-type"] == "image/webp"
        assert opened(thumb.content).size == (30, 20)


def test_with_presets_alone_nothing_else_is_taken(only: Service) -> None:
    client, picture = only.client(), snapshot()
    refused = client.upload(picture, "")
    assert refused.status_code == 403
    assert refused.json()["message"] == "This server takes presets alone: name one of thumb, small"
    for fields in ({"width": "9"}, {"quality": "50"}, {"format": "png"}):
        refused = client.upload(picture, **{"format": "", "preset": "thumb", **fields})
        assert refused.status_code == 403
        assert f"presets alone (thumb, small): no {next(iter(fields))}" in refused.text
    taken = client.upload(picture, "", preset="thumb", priority="bulk")
    assert taken.status_code == 202
    client.wait(md5(picture))
    assert client.download(md5(picture), format="webp").status_code == 200
    with httpx.Client(base_url=only.url, auth=("api", "any"), timeout=60, verify=NO_TLS) as tinify:
        place = tinify.post("/shrink", content=picture).headers["location"]
        assert tinify.post(place, json={"resize": {"width": 9}}).status_code == 403
        assert tinify.post(place, json={"convert": {"preset": "small"}}).status_code == 200

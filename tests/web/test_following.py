"""`{"follow": md5}` on /ws: how pictures go that came over HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.pictures import md5, photograph, snapshot, unique
from tests.service import Client, Service
from tests.web.alone import web
from tests.web.contract import Contract
from tests.web.sockets import answers, message


def _follow(ws: ClientConnection, data: bytes, **more: Any) -> None:
    ws.send(json.dumps({"follow": md5(data), **more}))


def _next(ws: ClientConnection) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ws.recv(timeout=60))
    return told


def test_each_step_is_told_up_to_the_end_without_the_file(
    server: Service, client: Client, ws: ClientConnection, contract: Contract
) -> None:
    decoders, data = server.freeze(3), snapshot()
    try:
        client.upload(data, "jpg")
        _follow(ws, data, details=True)
        told = [_next(ws)]
        while told[-1]["status"] != "processing":
            told.append(_next(ws))
    finally:
        for decoder in decoders:
            decoder.resume()
    told.append(_next(ws))
    assert [each["status"] for each in told[-2:]] == ["processing", "done"]
    assert told[0]["status"] in ("queued", "processing")
    for each in told:
        contract.validate(each, contract.component("SocketFollowed"))
    (status,) = client.http.get(f"/status/{md5(data)}?details=true").json()
    done = told[-1]
    address = urljoin(f"{client.http.base_url}/ws", done.pop("download_url"))
    status.pop("download_url")
    assert done == status
    assert client.http.get(address).content == client.download(md5(data), format="jpg").content
    # Once more, when all is done.
    _follow(ws, data)
    named = {"md5": md5(data), "format": "jpg", "quality": 80}
    assert _next(ws) == {"status": "done", **named}


def test_the_place_in_the_queue_is_told_each_time_it_changes_to_who_asks(
    redis_url: str, tmp_path: Path
) -> None:
    pictures = [snapshot() for _ in range(3)]
    named = {"md5": md5(pictures[2]), "format": "webp", "quality": 0}
    with web(tmp_path, redis_url) as running, connect(running.ws_url) as ws:
        for data in pictures:
            running.client.upload(data)
        with connect(running.ws_url) as other:
            _follow(other, pictures[2])
            assert _next(other) == {"status": "queued", **named}
            _follow(ws, pictures[2], progress=True)
            for place in (3, 2, 1):
                assert _next(ws) == {"status": "queued", **named, "place": place}
                running.client.http.delete(f"/status/{md5(pictures[3 - place])}")
            # Gone, as all that are told of it hear; and nothing in between to who did not ask.
            error = {"status": "error", **named, "message": "processing_failed"}
            assert _next(ws) == _next(other) == error
    assert running.troubles() == []


def test_one_of_several_conversions_is_named_or_all_are_told(
    client: Client, ws: ClientConnection
) -> None:
    data = snapshot()
    client.upload(data, "jpg")
    client.upload(data, "png", width="50")
    client.wait(md5(data))
    _follow(ws, data)
    assert {_next(ws)["format"], _next(ws)["format"]} == {"jpg", "png"}
    for only in ({"format": "png"}, {"options": {"width": 50}}, {"format": "png", "quality": 0}):
        _follow(ws, data, **only)
        assert _next(ws)["options"] == {"width": 50}
    _follow(ws, data, format="jpg", quality=80, options={})
    assert _next(ws)["format"] == "jpg"


def test_a_failure_says_why_to_who_asks_for_details(
    client: Client, ws: ClientConnection, contract: Contract
) -> None:
    data = unique(photograph("astronaut")[:200])
    client.upload(data)
    client.wait(md5(data))
    _follow(ws, data, details=True)
    error = _next(ws)
    contract.validate(error, contract.component("SocketError"))
    assert (error["status"], error["message"]) == ("error", "processing_failed")
    assert "cannot be read" in error["error"]["message"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"follow": "0" * 32}, "not_found"),
        ({"follow": "0" * 31}, "invalid_option"),
        ({"follow": None}, "invalid_option"),
        ({"follow": 5}, "invalid_option"),
        ({"follow": "0" * 32, "format": "bmp"}, "unsupported_format"),
        ({"follow": "0" * 32, "quality": 101}, "invalid_option"),
        ({"follow": "0" * 32, "options": []}, "invalid_option"),
        ({"follow": "0" * 32, "progress": "maybe"}, "invalid_option"),
    ],
)
def test_what_cannot_be_followed_is_an_error_and_the_socket_stays_open(
    ws: ClientConnection, contract: Contract, given: dict[str, Any], code: str
) -> None:
    ws.send(json.dumps(given))
    error = _next(ws)
    contract.validate(error, contract.component("SocketError"))
    assert (error["status"], error["message"]) == ("error", code)
    ws.send(message(snapshot()))
    assert answers(ws, 1)[-1]["status"] == "done"


def test_a_picture_stays_a_picture_whatever_else_its_message_has(ws: ClientConnection) -> None:
    data = snapshot()
    ws.send(message(data, follow="0" * 32, progress=True))
    steps = answers(ws, 1)
    assert [step["status"] for step in steps] == ["queued", "processing", "done"]
    assert "place" not in steps[0]
    assert steps[-1]["file"]

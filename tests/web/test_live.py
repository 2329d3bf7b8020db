"""WS /ws"""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import psutil
import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests import rq_keys
from tests.pictures import md5, opened, photograph, snapshot, unique
from tests.service import Client, Service, suspended
from tests.web.sockets import LIMIT, answers, message


def test_a_picture_is_queued_processing_and_done_with_its_file(ws: ClientConnection) -> None:
    data = unique(photograph("astronaut"))
    ws.send(message(data, "jpg", quality=60))
    queued, processing, done = answers(ws, 1)
    named = {"md5": md5(data), "format": "jpg", "quality": 60}
    assert queued == {"status": "queued", **named}
    assert processing == {"status": "processing", **named}
    file = base64.b64decode(done.pop("file"))
    assert done == {"status": "done", **named}
    assert opened(file).format == "JPEG"
    assert len(file) < len(data)


def test_a_picture_costs_redis_one_question_for_its_job(
    ws: ClientConnection, server: Service
) -> None:
    pictures = [unique(photograph("rocket")) for _ in range(5)]
    asked: list[str] = []
    with (
        contextlib.closing(redis.Redis.from_url(server.redis_url)) as connection,
        connection.monitor() as monitor,
    ):
        for data in pictures:
            ws.send(message(data))
            assert [answer["status"] for answer in answers(ws, 1)][-1] == "done"
        connection.echo("the end")
        while not asked or "the end" not in asked[-1]:
            asked.append(monitor.next_command()["command"])
    for data in pictures:
        # Before it is made; its steps say what would be read of it.
        assert len([c for c in asked if c.startswith(f"HMGET {rq_keys.job(md5(data))}")]) == 1


def test_a_picture_that_is_done_is_done_at_once(ws: ClientConnection, client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    ws.send(message(data))
    (done,) = answers(ws, 1)
    assert done["status"] == "done"
    assert base64.b64decode(done["file"]) == client.download(md5(data)).content


def test_several_pictures_at_once_each_have_their_steps_in_order(ws: ClientConnection) -> None:
    pictures = [snapshot() for _ in range(20)]
    for number, data in enumerate(pictures):
        ws.send(message(data, ("webp", "jpg")[number % 2]))
    received = answers(ws, len(pictures))
    for data in pictures:
        steps = [answer["status"] for answer in received if answer["md5"] == md5(data)]
        assert steps == ["queued", "processing", "done"]


def test_two_sockets_that_send_the_same_picture_are_both_told(server: Service) -> None:
    data = snapshot()
    with connect(server.ws_url, max_size=None) as one, connect(server.ws_url, max_size=None) as two:
        with suspended(server.freeze(3)):
            for ws in (one, two):
                ws.send(message(data, "png"))
                assert json.loads(ws.recv(timeout=60))["status"] == "queued"
        first, second = answers(one, 1), answers(two, 1)
    assert first[-1]["file"] == second[-1]["file"]
    assert len([path for path in server.stored("results") if md5(data) in path.name]) == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("not json", "invalid_json"),
        ("", "invalid_json"),
        ("[1, 2]", "invalid_json"),
        ("null", "invalid_json"),
        (b"\xff\xfe binary", "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        (json.dumps({"format": "bmp", "data": "AAAA"}), "unsupported_format"),
        (json.dumps({"format": 7, "data": "AAAA"}), "unsupported_format"),
        (json.dumps({"format": "webp", "data": "%%%"}), "decode_error"),
        (json.dumps({"format": "webp", "data": "AAAAA"}), "decode_error"),
        (json.dumps({"format": "webp", "data": "é"}), "decode_error"),
        (json.dumps({"format": "webp", "data": 5}), "decode_error"),
        (json.dumps({"format": "webp"}), "decode_error"),
    ],
)
def test_what_cannot_be_understood_is_an_error_and_the_socket_stays(
    ws: ClientConnection, sent: str | bytes, code: str
) -> None:
    ws.send(sent)
    assert answers(ws, 1) == [{"status": "error", "message": code}]
    data = snapshot()
    ws.send(message(data))
    assert answers(ws, 1)[-1]["status"] == "done"


@pytest.mark.parametrize("data", [b"plain text", b"8BPS\0\1" + bytes(100)])
def test_what_is_no_picture_is_an_error_that_names_it(ws: ClientConnection, data: bytes) -> None:
    ws.send(message(data))
    assert answers(ws, 1) == [{"status": "error", "message": "not_an_image", "md5": md5(data)}]


def test_a_picture_that_cannot_be_read_is_processing_failed(ws: ClientConnection) -> None:
    data = unique(photograph("astronaut")[:200])
    ws.send(message(data))
    assert answers(ws, 1)[-1] == {
        "status": "error",
        "message": "processing_failed",
        "md5": md5(data),
    }


def test_the_largest_picture_is_taken_and_one_byte_more_is_an_error(ws: ClientConnection) -> None:
    photo = snapshot()
    largest = unique(photo + b"\0" * (LIMIT - len(photo) - 16))
    ws.send(message(largest))
    assert answers(ws, 1)[-1]["status"] == "done"
    for too_large in (largest + b"\0", largest + b"\0" * (LIMIT // 2)):
        ws.send(message(too_large))
        assert answers(ws, 1) == [{"status": "error", "message": "size_exceeded"}]


def test_a_message_that_would_not_fit_in_memory_ends_the_socket_alone(
    server: Service, client: Client
) -> None:
    with connect(server.ws_url, max_size=None) as ws:
        with contextlib.suppress(ConnectionClosed):
            ws.send(message(b"\0" * (3 * LIMIT)))
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=30)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009
    assert client.http.get("/").status_code == 200


@pytest.mark.parametrize("filename", [None, 7, "", "\ud800.jpg", "../../x\0.jpg", "x" * 100_000])
def test_any_file_name_is_taken(ws: ClientConnection, filename: Any) -> None:
    data = snapshot()
    ws.send(message(data, filename=filename))
    assert answers(ws, 1)[-1]["status"] == "done"


@pytest.mark.parametrize("quality", [None, "high", -1, 101, 1e400, True, [1], {}])
def test_a_quality_that_makes_no_sense_counts_as_80(ws: ClientConnection, quality: Any) -> None:
    ws.send(message(snapshot(), "jpg", quality=quality))
    assert answers(ws, 1)[-1]["quality"] == 80


def test_the_job_of_a_client_that_disconnects_goes_on(server: Service, client: Client) -> None:
    data = snapshot()
    with suspended(server.freeze(3)), connect(server.ws_url, max_size=None) as ws:
        ws.send(message(data, "png"))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_many_sockets_share_one_connection_to_redis(server: Service) -> None:
    web = next(p for p in server.family() if p.cmdline()[-1] == "web")
    before = _unix_sockets(web)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(connect(server.ws_url)) for _ in range(100)]
        for number, ws in enumerate(sockets):
            ws.send(message(b"no picture %d" % number))
        for ws in sockets:
            assert answers(ws, 1)[0]["message"] == "not_an_image"
        assert _unix_sockets(web) <= before + 8  # the threads that ask RQ have one each


def _unix_sockets(process: psutil.Process) -> int:
    return len(process.net_connections("unix"))

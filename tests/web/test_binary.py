"""WS /ws: pictures as binary messages, each announced by a JSON message."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.core.errors import InvalidOption
from app.web.ws.announced import Announced, Announcement
from tests.pictures import md5, opened, photograph, snapshot, unique
from tests.service import until
from tests.web.alone import web
from tests.web.raw import flooded, frame, raw_socket
from tests.web.sockets import LIMIT, announcement, answers, message

WRONG: dict[str, dict[str, Any]] = {
    "unsupported_format": {"format": "bmp"},
    "invalid_option": {"width": "wide"},
}


def closed_with(ws: ClientConnection) -> tuple[int, str]:
    """Code and reason, once the socket is closed."""
    with pytest.raises(ConnectionClosed) as closed:
        answers(ws, 1_000)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


def test_a_binary_message_is_the_picture_that_was_announced(ws: ClientConnection) -> None:
    data = unique(photograph("astronaut"))
    ws.send(announcement("jpg", quality=60, width=100))
    ws.send(data)
    queued, processing, done = answers(ws, 1)
    named = {"md5": md5(data), "format": "jpg", "quality": 60, "options": {"width": 100}}
    assert queued == {"status": "queued", **named}
    assert processing == {"status": "processing", **named}
    picture = opened(base64.b64decode(done.pop("file")))
    assert done == {"status": "done", **named}
    assert (picture.format, picture.width) == ("JPEG", 100)


def test_binary_messages_belong_to_announcements_in_their_order(ws: ClientConnection) -> None:
    pictures = [snapshot() for _ in range(6)]
    encoded = snapshot()
    widths = range(20, 26)
    for width in widths:
        ws.send(announcement(width=width))
    for number, data in enumerate(pictures):
        ws.send(data)
        if number == 2:  # pictures in base64 are independent
            ws.send(message(encoded, "jpg"))
    done = [a for a in answers(ws, 7) if a["status"] == "done"]
    assert {a["md5"]: a.get("options") for a in done} == {
        md5(encoded): None,
        **{md5(d): {"width": w} for d, w in zip(pictures, widths, strict=True)},
    }


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        *WRONG.items(),
        ("invalid_option", {"data": base64.b64encode(b"A" * 100_000).decode()}),
        ("invalid_option", {"url": "https://example.org/a.jpg"}),
        ("invalid_option", {"binary": "perhaps"}),
        ("invalid_option", {"details": "perhaps"}),
    ],
)
def test_a_faulty_announcement_takes_its_binary_message_and_no_other(
    ws: ClientConnection, code: str, fields: dict[str, Any]
) -> None:
    first, lost, last = (snapshot() for _ in range(3))
    for more in ({"width": 30}, fields, {"width": 31}):
        ws.send(announcement(**{"format": "webp", **more}))
    ws.send(first)
    assert answers(ws, 1)[-1]["options"] == {"width": 30}
    ws.send(lost)
    (error,) = answers(ws, 1)
    assert ("detail" in error) == (code == "invalid_option")
    error.pop("detail", None)
    assert error == {"status": "error", "message": code}
    ws.send(last)
    done = answers(ws, 1)[-1]
    assert (done["status"], done["md5"], done["options"]) == ("done", md5(last), {"width": 31})


def test_an_announced_picture_may_be_as_large_as_any_other(ws: ClientConnection) -> None:
    photo = snapshot()
    largest = unique(photo + b"\0" * (LIMIT - len(photo) - 16))
    for _ in range(3):
        ws.send(announcement())
    ws.send(largest + b"\0")
    assert answers(ws, 1) == [{"status": "error", "message": "size_exceeded"}]
    ws.send(largest)
    assert answers(ws, 1)[-1]["status"] == "done"
    ws.send(largest * 2)  # as large as a message in base64 may be that is answered
    assert answers(ws, 1) == [{"status": "error", "message": "size_exceeded"}]


@pytest.mark.parametrize("data", [b"", b"text", b'{"api_key": "x"}', message(b"x").encode()])
def test_while_one_is_announced_a_binary_message_is_always_the_picture(
    ws: ClientConnection, data: bytes
) -> None:
    ws.send(announcement())
    ws.send(data)
    assert answers(ws, 1) == [{"status": "error", "message": "not_an_image", "md5": md5(data)}]


def test_an_unannounced_binary_message_is_taken_as_json(ws: ClientConnection) -> None:
    data = snapshot()
    ws.send(data)
    assert answers(ws, 1) == [{"status": "error", "message": "invalid_json"}]
    ws.send(message(data).encode())
    assert answers(ws, 1)[-1]["status"] == "done"
    ws.send(announcement().encode())  # nobody could tell it from a picture, with one announced
    (error,) = answers(ws, 1)
    assert error["message"] == "invalid_option"
    assert "text message" in error["detail"]


@pytest.mark.parametrize("binary", [False, None, "no", 0, ""])
def test_a_message_whose_binary_is_not_set_is_as_without(
    ws: ClientConnection, binary: object
) -> None:
    ws.send(message(b"no picture", binary=binary))
    assert answers(ws, 1)[0]["message"] == "not_an_image"


def test_a_picture_may_come_in_fragments_with_pings_between(ws: ClientConnection) -> None:
    data = unique(photograph("astronaut"))
    ws.send(announcement(width=40))

    def fragments() -> Iterator[bytes]:
        for begin in range(0, len(data), 10_000):
            yield data[begin : begin + 10_000]
            ws.ping()

    ws.send(fragments())
    assert answers(ws, 1)[-1]["md5"] == md5(data)


def test_the_details_that_an_announcement_asks_for_are_told(ws: ClientConnection) -> None:
    data = snapshot()
    ws.send(announcement(details=True))
    ws.send(announcement("bmp", details=True))
    ws.send(data)
    done = answers(ws, 1)[-1]
    assert (done["filename"], done["original_bytes"]) == ("cat.jpg", len(data))
    ws.send(data)
    (error,) = answers(ws, 1)
    assert error["error"]["code"] == "unsupported_format"
    assert "choose one of" in error["error"]["message"]


def test_a_key_in_escapes_and_a_long_name_announce_too(ws: ClientConnection) -> None:
    data = snapshot()
    ws.send(announcement(filename="ü" * 20_000).replace("binary", "bin\\u0061ry"))
    ws.send(data)
    assert answers(ws, 1)[-1]["md5"] == md5(data)


def test_a_socket_takes_announcements_after_its_key(redis_url: str, tmp_path: Path) -> None:
    key = "0123456789abcdef"
    with web(tmp_path, redis_url, AUTH__API_KEYS=f"shop:{key}") as running:
        with connect(running.ws_url) as ws:
            ws.send(json.dumps({"api_key": key}))
            assert json.loads(ws.recv(timeout=60)) == {"status": "authorized"}
            ws.send(announcement())
            ws.send(b"no picture")
            assert answers(ws, 1)[0]["message"] == "not_an_image"
        line = until(lambda: running.access(path="/ws", outcome="not_an_image"))[0]
        assert line["key"] == "shop"
        assert line["bytes_in"] == len(announcement()) + len(b"no picture")
        assert line["md5"] == md5(b"no picture")
        with connect(running.ws_url) as ws:
            ws.send(announcement(api_key=key))
            assert closed_with(ws) == (1008, "unauthorized")


def test_announced_pictures_count_as_others_do(redis_url: str, tmp_path: Path) -> None:
    with (
        web(tmp_path, redis_url, LIMITS__RATE="2/hour") as running,
        connect(running.ws_url) as ws,
    ):
        for _ in range(3):
            ws.send(announcement())
        for number in range(3):
            ws.send(b"no picture %d" % number)
            (error,) = answers(ws, 1)
            assert error["message"] == ("rate_limited" if number == 2 else "not_an_image")
            assert error["md5"] == md5(b"no picture %d" % number)


def test_an_announcement_whose_picture_does_not_come_closes_the_socket(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, LIMITS__UPLOAD_TIMEOUT=1) as running:
        with connect(running.ws_url) as ws:
            ws.send(announcement())
            ws.send("no json")  # puts nothing off
            assert answers(ws, 1)[0]["message"] == "invalid_json"
            assert closed_with(ws) == (1008, "picture_not_sent")
        assert until(lambda: running.access(path="/ws", outcome="picture_not_sent"))
        assert running.troubles() == []


def test_a_picture_that_has_begun_in_time_may_end_later(redis_url: str, tmp_path: Path) -> None:
    def fragments() -> Iterator[bytes]:
        time.sleep(2)
        yield b"no "
        time.sleep(2.5)
        yield b"picture"

    with (
        web(tmp_path, redis_url, LIMITS__UPLOAD_TIMEOUT=4) as running,
        connect(running.ws_url) as ws,
    ):
        ws.send(announcement())
        ws.send(fragments())
        assert answers(ws, 1)[0]["md5"] == md5(b"no picture")


def test_only_the_first_announcement_waits_and_only_while_the_server_reads() -> None:
    now = 0.0
    announced = Announced(limit=3, patience=10, clock=lambda: now)
    assert announced.left() == math.inf
    for _ in range(2):
        announced.add(Announcement(0, False, InvalidOption("x")))
    now = 9
    assert (announced.left(), announced.late) == (1, False)
    announced.take()
    assert announced.left() == 10
    now = 19
    assert announced.late
    announced.pause(5)
    assert (announced.left(), announced.late) == (5, False)
    announced.take()
    assert not announced.late


def test_too_many_announcements_close_the_socket(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, LIMITS__SOCKET_PICTURES=3) as running:
        with connect(running.ws_url) as ws:
            for _ in range(2):
                for _ in range(3):
                    ws.send(announcement())
                for _ in range(3):
                    ws.send(b"no picture")
                assert [a["message"] for a in answers(ws, 3)] == ["not_an_image"] * 3
            for _ in range(4):
                ws.send(announcement())
            assert closed_with(ws) == (1008, "too_many_announced")
        assert running.troubles() == []


def test_open_announcements_take_little_memory(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url) as running, raw_socket(running) as connection:
        before = running.memory()
        announced = [
            frame(announcement(filename="x" * 500_000, quality="9" * 500_000, **wrong).encode())
            for wrong in ({}, WRONG["unsupported_format"])
        ] * 100
        peak = flooded(running, connection, [*announced, frame(b"no json")], lines=1)
        # All the texts would be 200 MB.
        assert peak - before < 50 * 1024**2
        assert running.access(path="/ws", outcome="invalid_json")

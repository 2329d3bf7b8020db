"""GET /events: the steps of a picture for clients without a socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import redis

from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from bench.queue import PictureQueue
from imaging.formats import Format
from imaging.options import Options
from tests.conftest import running_redis
from tests.pictures import md5, photograph, snapshot, unique
from tests.scrape import scrape, total
from tests.service import Client, Service, until
from tests.web.alone import Web, answer, ended, fail, send, web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS
from tests.web.streams import status_codes, steps_told, streaming

NOBODY = "0" * 32


@pytest.fixture
def alone(redis_url: str, tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path, redis_url) as running:
        yield running


def _open(running: Web, count: int) -> None:
    until(lambda: total(scrape(running.url), "tinyimage_sockets_open") == count, what="streams")


def test_each_step_is_told_with_details_then_the_end_and_who_comes_again_gets_204(
    server: Service, client: Client, contract: Contract
) -> None:
    decoders, data = server.freeze(3), snapshot()
    path = f"/events/{md5(data)}"
    try:
        client.upload(data)
        told = steps_told(client.http, path, decoders)
    finally:
        for decoder in decoders:
            decoder.resume()
    assert [(each.name, each.data.get("status")) for each in told[-3:]] == [
        ("message", "processing"),
        ("message", "done"),
        ("end", None),
    ]
    for each in told[:-1]:
        contract.validate(each.data, contract.component("Status"))
    (status,) = client.http.get(f"/status/{md5(data)}?details=true").json()
    assert told[-2].data == status
    result = client.http.get(urljoin(f"{client.http.base_url}{path}", status["download_url"]))
    assert result.content == client.download(md5(data)).content
    again = client.http.get(path, headers={"Last-Event-ID": told[-1].id})
    assert again.status_code == 204
    contract.check(again)
    # The client that lost the connection before the last step hears of that alone.
    with streaming(client.http, path, told[-3].id) as events:
        assert [each.data.get("status") for each in events] == ["done", None]


def test_a_failure_is_told_with_its_reason(client: Client) -> None:
    data = unique(photograph("astronaut")[:200])
    client.upload(data)
    with streaming(client.http, f"/events/{md5(data)}") as events:
        *_, failed, end = events
    assert (failed.data["status"], end.name) == ("failed", "end")
    assert "cannot be read" in failed.data["error"]["message"]


def test_who_comes_again_is_told_only_what_is_new_by_any_server(
    alone: Web, redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    data = snapshot()
    path = f"/events/{md5(data)}"
    for format in ("webp", "png"):
        alone.client.upload(data, format)
    with streaming(alone.client.http, path) as events:
        first = [next(events), next(events)]
    assert [each.data["format"] for each in first] == ["webp", "png"]
    assert [each.data["status"] for each in first] == ["queued"] * 2
    fail(connection, md5(data))
    (tmp_path / "other").mkdir()
    with web(tmp_path / "other", redis_url) as other:
        http = other.client.http
        with streaming(http, path, first[1].id) as events:
            new = next(events)
        assert (new.data["format"], new.data["status"]) == ("webp", "failed")
        fail(connection, md5(data), "png-0")
        with streaming(http, path, new.id) as events:
            last, end = events
        assert (last.data["format"], end.name) == ("png", "end")
        assert status_codes(http, path, end.id) == 204
        # Of another picture, from elsewhere, or none at all.
        for strange in ("17", ";,\t=", "x" * 20_000):
            with streaming(http, path, strange) as events:
                assert [each.data.get("status") for each in events] == ["failed", "failed", None]


def test_one_of_several_conversions_is_followed_to_its_own_end(
    alone: Web, connection: redis.Redis
) -> None:
    data = snapshot()
    for format in ("webp", "jpg", "png"):
        alone.client.upload(data, format, **({"width": "50"} if format == "png" else {}))
    fail(connection, md5(data))
    path = f"/events/{md5(data)}"
    with streaming(alone.client.http, f"{path}?format=webp&quality=0") as events:
        only, end = events
    assert (only.data["format"], end.name) == ("webp", "end")
    with streaming(alone.client.http, f"{path}?width=50") as events:
        assert next(events).data["options"] == {"width": 50}
    for query, status in (("format=gif", 404), ("width=wide", 400), ("progress=maybe", 400)):
        assert alone.client.http.get(f"{path}?{query}").status_code == status


def test_each_new_place_in_the_queue_is_told_to_who_asks(alone: Web) -> None:
    pictures = [send(alone.client) for _ in range(3)]
    with streaming(alone.client.http, f"/events/{pictures[2]}?progress=true") as events:
        for place in (3, 2, 1):
            assert next(events).data["place"] == place
            Client(alone.url).http.delete(f"/status/{pictures[3 - place]}")
        assert [each.data.get("status") for each in events] == ["failed", None]


def test_what_is_no_stream_is_answered_at_once(alone: Web) -> None:
    picture, contract, http = send(alone.client), Contract(alone.url), alone.client.http
    for path, accept, status in (
        (f"/events/{NOBODY}", "*/*", 404),
        ("/events/nothing", "*/*", 404),
        (f"/events/{picture}", "application/json", 406),
        (f"/events/{picture}", "text/event-stream;q=0, */*", 406),
        (f"/events/{picture}?width=0", "text/*", 400),
    ):
        refused = http.get(path, headers={"Accept": accept})
        assert refused.status_code == status
        contract.check(refused)
    head = http.head(f"/events/{picture}")
    contract.check(head)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")
    assert head.headers["cache-control"] == "no-store"
    assert head.headers["x-accel-buffering"] == "no"
    assert http.head(f"/events/{NOBODY}").status_code == 404
    assert alone.troubles() == []


def test_a_stream_begins_with_the_time_to_come_again_and_breathes(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url) as running, running.connection() as connection:
        picture = send(running.client)
        connection.sendall(f"GET /events/{picture} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = b""
        while b"\r\n3\r\n:\n\n\r\n" not in received:  # after 15 s
            received += connection.recv(65536)
        assert b"retry: " in received
        assert received.index(b"retry: ") < received.index(b"data: ")
        connection.close()
        _open(running, 0)
        assert running.troubles() == []


def test_open_streams_are_bounded_and_need_the_key(redis_url: str, tmp_path: Path) -> None:
    limits = {"AUTH__API_KEYS": KEYS, "LIMITS__SOCKETS": 2}
    with web(tmp_path, redis_url, **limits) as running, contextlib.ExitStack() as stack:
        http, opened = running.client.http, []
        assert http.get(f"/events/{NOBODY}").status_code == 401
        http.headers["X-API-Key"] = KEY
        path = f"/events/{send(running.client)}"
        for _ in range(2):
            opened.append(stack.enter_context(streaming(http, path)))
            next(opened[-1])
        refused = http.get(path)
        assert (refused.status_code, refused.json()["error"]) == (503, "too_many_sockets")
        assert int(refused.headers["Retry-After"]) > 0
        Contract(running.url).check(refused)
        stack.close()
        until(lambda: len(running.access(outcome="disconnected")) == 2, what="both are gone")
        with streaming(http, path) as events:
            assert next(events).data["status"] == "queued"


def test_a_client_that_never_reads_is_cut_off(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    queue = PictureQueue(connection, max_age_seconds=600, conversion_timeout=60)
    picture, name = os.urandom(16).hex(), "\N{ROCKET}" * 199
    for width in range(1, 1201):  # more than the system keeps for the client
        conversion = Conversion(picture, Format.WEBP, 0, Options(width=width))
        queue.submit(conversion, Submission(name, 1), token="0")
    with web(tmp_path, redis_url, LIMITS__SEND_TIMEOUT=1) as running, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", running.port))
        client.sendall(f"GET /events/{picture} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: running.access(outcome="not_reading"), what="it is cut off")
        assert ended(client)
        _open(running, 0)
        assert running.troubles() == []


def test_a_server_that_stops_ends_its_streams_cleanly(alone: Web) -> None:
    path = f"/events/{send(alone.client)}"
    with streaming(alone.client.http, path) as events:
        assert next(events).data["status"] == "queued"
        alone.send_signal(signal.SIGTERM)
        assert list(events) == []  # and no end: the client comes again
    assert alone.wait() == 0
    assert alone.troubles() == []
    assert alone.access(path=path, outcome="stopped")


def test_a_stream_outlives_its_redis_and_without_one_none_begins(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    with (
        running_redis(tmp_path / "redis") as embedded,
        web(tmp_path / "web", embedded.url) as running,
    ):
        picture = send(running.client)
        with streaming(running.client.http, f"/events/{picture}") as events:
            assert next(events).data["status"] == "queued"
            assert embedded.process is not None
            embedded.process.kill()
            embedded.process.wait()
            refused = Client(running.url).http.get(f"/events/{picture}")
            assert refused.status_code == 503
            Contract(running.url).check(refused)
            embedded.start()
            with contextlib.closing(redis.Redis.from_url(embedded.url)) as connection:
                fail(connection, picture)
            assert [each.data.get("status") for each in events] == ["failed", None]


def test_a_client_that_goes_away_leaves_nothing_behind(alone: Web) -> None:
    path = f"/events/{send(alone.client)}"
    with alone.connection() as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert answer(client)[0] == 200
        _open(alone, 1)
    _open(alone, 0)
    until(lambda: alone.access(path=path, outcome="disconnected"), what="its line in the log")
    assert alone.troubles() == []

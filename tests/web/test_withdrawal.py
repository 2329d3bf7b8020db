"""DELETE /status: a picture that waits is taken back, and nobody else's is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from websockets.sync.client import connect

from tests import rq_keys
from tests.pictures import md5, snapshot
from tests.scrape import scrape, total
from tests.service import NO_TLS, Client, Service
from tests.web.alone import Web, web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS
from tests.web.sockets import answers, message


@pytest.fixture
def running(alone: Web) -> Iterator[Web]:
    """A server without workers: what it takes stays queued."""
    yield alone
    assert alone.troubles() == []


def _withdraw(client: Client, data: bytes, query: str = "") -> httpx.Response:
    return client.http.delete(f"/status/{md5(data)}{query}")


def _statuses(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [each["status"] for each in response.json()]


def _originals(folder: Path, data: bytes) -> list[Path]:
    return list((folder / "output" / "originals").rglob(f"{md5(data)}*"))


def test_a_picture_that_waits_is_gone_with_its_file_and_can_be_sent_again(
    running: Web, connection: redis.Redis
) -> None:
    client, data, other = running.client, *(snapshot() for _ in range(2))
    contract = Contract(running.url)
    client.upload(data, "jpg")
    client.upload(other, "jpg")
    assert len(_originals(running.folder, data)) == 1
    response = _withdraw(client, data)
    contract.check(response)
    named = {"md5": md5(data), "format": "jpg", "quality": 80}
    assert response.json() == [{**named, "status": "withdrawn"}]
    assert client.status(md5(data)) == []
    assert _originals(running.folder, data) == []
    # Nothing is left of it in Redis either.
    assert [key for key in connection.scan_iter() if md5(data).encode() in key] == []
    assert connection.lrange(rq_keys.queue("interactive"), 0, -1) == [
        f"{md5(other)}-jpg-80".encode()
    ]
    again = _withdraw(client, data)
    contract.check(again)
    assert (again.status_code, again.json()["error"]) == (404, "not_found")
    withdrawn = total(
        scrape(running.url), "tinyimage_pictures_total", outcome="withdrawn", format="jpg"
    )
    assert withdrawn == 1
    assert client.upload(data, "jpg").status_code == 202
    assert [job["status"] for job in client.status(md5(data))] == ["queued"]


def test_a_picture_that_another_has_asked_for_stays(running: Web) -> None:
    client, data = running.client, snapshot()
    for priority in ("bulk", "interactive"):  # which moves it too
        assert client.upload(data, priority=priority).status_code == 202
    for _ in range(3):
        assert _statuses(_withdraw(client, data)) == ["queued"]
    assert len(_originals(running.folder, data)) == 1
    # The next one is a job of its own, for which nobody else asked.
    alone = snapshot()
    client.upload(alone, priority="bulk")
    assert _statuses(_withdraw(client, alone)) == ["withdrawn"]


def test_the_query_names_one_of_several_conversions(running: Web) -> None:
    client, data = running.client, snapshot()
    for format, fields in (("webp", {}), ("jpg", {}), ("jpg", {"width": "50"}), ("png", {})):
        client.upload(data, format, **fields)
    assert _withdraw(client, data, "?format=avif").status_code == 404
    assert _withdraw(client, data, "?format=nonsense").status_code == 404
    assert _withdraw(client, data, "?width=wide").status_code == 400
    assert len(client.status(md5(data))) == 4
    assert _statuses(_withdraw(client, data, "?format=jpg&width=50")) == ["withdrawn"]
    assert _statuses(_withdraw(client, data, "?format=jpg&quality=80")) == ["withdrawn"]
    assert {job["format"] for job in client.status(md5(data))} == {"webp", "png"}
    assert _statuses(_withdraw(client, data)) == ["withdrawn", "withdrawn"]
    assert client.status(md5(data)) == []


def test_nothing_is_withdrawn_where_the_own_format_is_not_known(
    running: Web, connection: redis.Redis
) -> None:
    """Not every job says what its picture was."""
    client, data = running.client, snapshot()
    client.upload(data, "webp")
    connection.hset(rq_keys.job(f"{md5(data)}-webp-0"), "meta", "{}")
    assert _withdraw(client, data, "?format=same").status_code == 404
    assert [job["status"] for job in client.status(md5(data))] == ["queued"]


def test_who_waits_for_it_on_a_socket_is_told_at_once(running: Web) -> None:
    data = snapshot()
    with connect(running.ws_url) as ws:
        ws.send(message(data))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"
        assert _statuses(_withdraw(running.client, data)) == ["withdrawn"]
        (error,) = answers(ws, 1)
        assert (error["status"], error["message"]) == ("error", "processing_failed")


def test_a_key_is_asked_for_where_the_status_asks_for_one(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS=KEYS) as running:
        data, key = snapshot(), {"X-API-Key": KEY}
        http = running.client.http
        http.post("/upload", files={"picture": ("cat.jpg", data)}, headers=key)
        assert http.delete(f"/status/{md5(data)}").status_code == 401
        assert _statuses(http.delete(f"/status/{md5(data)}", headers=key)) == ["withdrawn"]


def test_whoever_asks_at_the_same_moment_has_its_picture(running: Web) -> None:
    """Of two who asked, one takes back what both would have: the other's stays, or is new."""

    def race(data: bytes) -> tuple[list[str], int]:
        with (
            httpx.Client(base_url=running.url, timeout=60, verify=NO_TLS) as one,
            httpx.Client(base_url=running.url, timeout=60, verify=NO_TLS) as other,
            ThreadPoolExecutor(2) as pool,
        ):
            one.post("/upload", files={"picture": ("cat.jpg", data)})
            gone = pool.submit(one.delete, f"/status/{md5(data)}")
            taken = pool.submit(other.post, "/upload", files={"picture": ("cat.jpg", data)})
            return _statuses(gone.result()), taken.result().status_code

    pictures = [snapshot() for _ in range(40)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(race, pictures))
    assert {status for _, status in outcomes} == {202}
    for data in pictures:
        (job,) = running.client.status(md5(data))
        assert job["status"] == "queued"
        assert len(_originals(running.folder, data)) == 1


def test_what_a_worker_takes_at_the_same_moment_is_done_or_withdrawn_and_never_neither(
    server: Service, client: Client
) -> None:
    pictures = [snapshot() for _ in range(60)]

    def send(data: bytes) -> Any:
        with Client(server.url).http as http:
            http.post("/upload", files={"picture": ("cat.jpg", data)}, data={"format": "jpg"})
            return http.delete(f"/status/{md5(data)}").json()[0]["status"]

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(send, pictures))
    for data, outcome in zip(pictures, outcomes, strict=True):
        if outcome == "withdrawn":
            assert client.status(md5(data)) == []
        else:
            # Queued: a worker has it already, and has not said so yet.
            assert outcome in ("queued", "processing", "done")
            client.wait(md5(data))
            assert client.download(md5(data)).status_code == 200


def test_what_a_worker_has_is_not_interrupted(server: Service, client: Client) -> None:
    decoders = server.freeze(3)
    data = snapshot()
    try:
        client.upload(data)
        while client.status(md5(data))[0]["status"] == "queued":
            pass
        assert _statuses(_withdraw(client, data)) == ["processing"]
    finally:
        for decoder in decoders:
            decoder.resume()
    client.wait(md5(data))
    assert [job["status"] for job in client.status(md5(data))] == ["done"]
    assert _statuses(_withdraw(client, data)) == ["done"]
    assert client.download(md5(data)).status_code == 200

"""How much one client may send, and how much may wait."""

from __future__ import annotations

import json
from pathlib import Path

from websockets.sync.client import connect

from tests.conftest import running_redis
from tests.pictures import md5, photograph, unique
from tests.service import Client
from tests.web.alone import Web, web
from tests.web.sockets import message

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"


def _picture() -> bytes:
    return unique(photograph("rocket"))


def test_more_uploads_than_the_rate_are_429_and_say_when_to_come_again(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, LIMITS__RATE="3/hour") as running:
        client = running.client
        data = _picture()
        for remaining in (2, 1, 0):
            response = client.upload(data)
            assert response.status_code == 202
            assert response.headers["x-ratelimit-limit"] == "3"
            assert response.headers["x-ratelimit-remaining"] == str(remaining)
            assert response.headers["ratelimit-policy"] == '"pictures";q=3;w=3600'
            assert f"r={remaining};" in response.headers["ratelimit"]
        refused = client.upload(data)
        assert refused.status_code == 429
        assert refused.json()["error"] == "rate_limited"
        assert 3000 < int(refused.headers["retry-after"]) <= 3600
        assert refused.headers["x-ratelimit-remaining"] == "0"
        # To ask how a picture is doing is free.
        response = client.http.get(f"/status/{md5(data)}")
        assert response.status_code == 200
        assert "ratelimit" not in response.headers


def test_without_a_rate_there_is_none(alone: Web) -> None:
    data = _picture()
    responses = [alone.client.upload(data) for _ in range(30)]
    assert {response.status_code for response in responses} == {202}
    assert "ratelimit" not in responses[-1].headers


def test_the_rate_is_one_for_all_servers(redis_url: str, tmp_path: Path) -> None:
    data = _picture()
    with (
        web(tmp_path, redis_url, LIMITS__RATE="4/hour") as one,
        web(tmp_path, redis_url, LIMITS__RATE="4/hour") as two,
    ):
        statuses = [web.client.upload(data).status_code for web in (one, two, one, two, one, two)]
    assert statuses == [202, 202, 202, 202, 429, 429]


def test_each_key_has_a_rate_of_its_own(redis_url: str, tmp_path: Path) -> None:
    keys = f"shop:{KEY},blog:{OTHER}"
    data = _picture()
    with web(tmp_path, redis_url, LIMITS__RATE="1/hour", AUTH__API_KEYS=keys) as running:
        for key in (KEY, OTHER):
            client = Client(running.url)
            client.http.headers["X-API-Key"] = key
            assert [client.upload(data).status_code for _ in range(2)] == [202, 429]


def test_pictures_of_a_socket_count_as_uploads_do(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, LIMITS__RATE="2/hour") as running:
        assert running.client.upload(_picture()).status_code == 202
        with connect(running.ws_url) as ws:
            ws.send(message(_picture()))
            assert json.loads(ws.recv(timeout=60))["status"] == "queued"
            data = _picture()
            ws.send(message(data))
            error = json.loads(ws.recv(timeout=60))
            assert 3000 < error.pop("retry_after") <= 3600
            assert error == {"status": "error", "message": "rate_limited", "md5": md5(data)}
        assert running.client.upload(_picture()).status_code == 429


def test_x_forwarded_for_is_believed_as_far_as_our_proxies_reach(
    redis_url: str, tmp_path: Path
) -> None:
    def statuses(client: Client, *forwarded: str) -> list[int]:
        found = []
        for value in forwarded:
            client.http.headers["X-Forwarded-For"] = value
            found.append(client.upload(data).status_code)
        return found

    data = _picture()
    with web(tmp_path, redis_url, LIMITS__RATE="1/hour") as running:
        assert statuses(running.client, "192.0.2.1", "192.0.2.2") == [202, 429]
    with web(tmp_path, redis_url, LIMITS__RATE="1/hour", SERVER__PROXIES_COUNT=1) as running:
        assert statuses(running.client, "192.0.2.1", "192.0.2.2") == [202, 202]
        # What stands before the entry of our proxy is the client's own invention.
        assert statuses(running.client, "192.0.2.8, 192.0.2.1", "192.0.2.9, 192.0.2.1") == [429] * 2
        # One customer has a whole /64.
        assert statuses(running.client, "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1") == [
            202,
            429,
            202,
        ]
        # What is no address is not one more client.
        assert statuses(running.client, "nonsense", "more nonsense") == [429, 429]


def test_over_the_queues_limit_new_pictures_are_503_and_known_ones_are_answered(
    redis_url: str, tmp_path: Path
) -> None:
    first, second, third = (_picture() for _ in range(3))
    with web(tmp_path, redis_url, LIMITS__MAX_QUEUE=2) as running:
        client = running.client
        assert client.upload(first).status_code == 202
        assert client.upload(second).status_code == 202
        refused = client.upload(third)
        assert refused.status_code == 503
        assert refused.json()["error"] == "queue_full"
        assert int(refused.headers["retry-after"]) > 0
        assert client.status(md5(third)) == []
        assert client.upload(first).status_code == 202
        with connect(running.ws_url) as ws:
            ws.send(message(third))
            error = json.loads(ws.recv(timeout=60))
            assert error == {"status": "error", "message": "queue_full", "md5": md5(third)}
            ws.send(message(second))
            assert json.loads(ws.recv(timeout=60))["status"] == "queued"
        files = [path for path in (tmp_path / "output").rglob("*") if path.is_file()]
        assert len(files) == 2
        assert running.troubles() == []


def test_a_rate_that_cannot_be_counted_is_503(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as embedded:
        assert embedded.process is not None
        with web(tmp_path, embedded.url, LIMITS__RATE="100/minute") as running:
            assert running.client.upload(_picture()).status_code == 202
            embedded.process.kill()
            embedded.process.wait()
            response = running.client.upload(_picture())
            assert (response.status_code, response.json()["error"]) == (503, "unavailable")
            assert int(response.headers["retry-after"]) > 0
            embedded.start()
            assert running.client.upload(_picture()).status_code == 202

"""API keys."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.conftest import running_redis
from tests.pictures import md5, snapshot
from tests.service import Client, service, until
from tests.web.alone import Web, answer, web
from tests.web.keys import KEY, KEYS, OTHER, WRONG
from tests.web.sockets import answers, message


def _basic(user: str, key: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web that asks for a key."""
    folder = tmp_path_factory.mktemp("closed")
    with (
        running_redis(folder / "redis") as embedded,
        web(folder, embedded.url, AUTH__API_KEYS=KEYS) as running,
    ):
        yield running


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": _basic("api", KEY)},
        {"Authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {OTHER}"},
        {"X-API-Key": KEY},
    ],
)
def test_a_key_lets_in_by_any_of_its_headers(closed: Web, headers: dict[str, str]) -> None:
    assert closed.client.http.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": _basic("api", WRONG)},
        {"Authorization": _basic("root", KEY)},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {WRONG}"},
        {"Authorization": KEY},
        {"X-API-Key": WRONG},
        {"X-API-Key": "shop"},
        {"X-API-Key": b"\xff\xfe"},
    ],
)
def test_no_key_or_a_wrong_one_is_401(closed: Web, headers: dict[str, str]) -> None:
    response = closed.client.http.get("/", headers=headers)
    assert response.status_code == 401
    assert response.json()["error"] == "unauthorized"
    assert "Basic" in response.headers["www-authenticate"]
    assert "Bearer" in response.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/upload"),
        ("POST", "/upload/"),
        ("GET", f"/status/{'0' * 32}"),
        ("GET", f"/queue/{'0' * 32}"),
        ("GET", f"/download/{'0' * 32}"),
        ("HEAD", f"/download/{'0' * 32}"),
        ("GET", "/ws"),
        ("GET", "/nothing"),
        ("DELETE", "/"),
        ("OPTIONS", "/"),
        ("POST", "/healthz/x"),
    ],
)
def test_everything_but_health_asks_for_a_key(closed: Web, method: str, path: str) -> None:
    response = closed.client.http.request(method, path)
    # What is no socket at all is refused as such, before it is asked for its key.
    assert response.status_code == (401 if path != "/ws" else 426), response.text


def test_health_needs_no_key_and_says_nothing_else(closed: Web) -> None:
    response = closed.client.http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_an_upload_without_a_key_is_refused_before_its_body(closed: Web) -> None:
    with closed.connection() as connection:
        connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
            b"Content-Length: 5000000\r\n\r\n--x\r\n"
        )
        status, headers, body = answer(connection)
    assert status == 401
    assert json.loads(body)["error"] == "unauthorized"
    assert "www-authenticate" in headers


def test_a_whole_upload_without_a_key_gets_its_answer(closed: Web) -> None:
    assert closed.client.upload(b"x" * 8_000_000).status_code == 401


def test_an_upload_with_a_key_is_taken(closed: Web) -> None:
    with closed.client.http.stream("GET", "/healthz"):
        pass
    client = Client(closed.url)
    client.http.headers["X-API-Key"] = KEY
    data = snapshot()
    assert client.upload(data).status_code == 202
    assert client.status(md5(data))[0]["status"] == "queued"


def test_what_a_browser_remembers_of_basic_is_of_no_use_to_another_site(closed: Web) -> None:
    headers = {"Authorization": _basic("api", KEY)}
    get = closed.client.http.get
    assert get("/", headers={**headers, "Origin": closed.url}).status_code == 200
    assert get("/", headers={**headers, "Origin": "https://evil.example"}).status_code == 401


def test_the_name_of_the_key_is_logged_and_the_key_is_not(closed: Web) -> None:
    closed.client.http.get("/", headers={"X-API-Key": OTHER, "X-Request-ID": "named"})
    closed.client.http.get(f"/?key={OTHER}", headers={"Authorization": _basic("api", OTHER)})
    closed.client.http.get("/", headers={"Authorization": f"Bearer {WRONG}"})
    (line,) = until(lambda: closed.access(id="named"))
    assert line["key"] == "blog"
    log = "".join(closed.log)
    assert not any(key in log for key in (KEY, OTHER, WRONG))


def test_a_socket_with_a_key_in_its_header_is_served(closed: Web) -> None:
    data = snapshot()
    with connect(closed.ws_url, additional_headers={"X-API-Key": KEY}) as ws:
        ws.send(message(data))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"


def test_a_socket_with_a_wrong_key_in_its_header_is_401(closed: Web) -> None:
    with pytest.raises(InvalidStatus) as error:
        connect(closed.ws_url, additional_headers={"X-API-Key": WRONG})
    assert error.value.response.status_code == 401


def test_a_socket_may_send_its_key_as_its_first_message(closed: Web) -> None:
    data = snapshot()
    with connect(closed.ws_url) as ws:
        ws.send(json.dumps({"api_key": KEY}))
        assert json.loads(ws.recv(timeout=60)) == {"status": "authorized"}
        ws.send(message(data))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"
    (line,) = until(lambda: closed.access(method="WS", md5=md5(data)))
    assert (line["key"], line["outcome"]) == ("shop", "disconnected")


@pytest.mark.parametrize(
    "first",
    [
        json.dumps({"api_key": WRONG}),
        json.dumps({"api_key": None}),
        json.dumps({"api_key": [KEY]}),
        json.dumps({"api_key": "\ud800"}),
        json.dumps({"api_key": KEY, "data": "AAAA"}),
        message(b"no picture"),
        "nonsense",
        b"\xff\xfe",
    ],
)
def test_a_socket_whose_first_message_is_no_good_key_is_closed(
    closed: Web, first: str | bytes
) -> None:
    with connect(closed.ws_url) as ws:
        ws.send(first)
        error = json.loads(ws.recv(timeout=60))
        assert error == {"status": "error", "message": "unauthorized"}
        with pytest.raises(ConnectionClosed) as ended:
            ws.recv(timeout=60)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1008


def test_nothing_went_wrong_on_the_server(closed: Web) -> None:
    assert closed.troubles() == []


def test_a_server_without_keys_takes_any(redis_url: str, tmp_path: Path) -> None:
    data = snapshot()
    with web(tmp_path, redis_url) as running, connect(running.ws_url) as ws:
        assert running.client.http.get("/", headers={"X-API-Key": "any"}).status_code == 200
        ws.send(json.dumps({"api_key": "any"}))
        assert json.loads(ws.recv(timeout=60)) == {"status": "authorized"}
        ws.send(message(data))
        assert json.loads(ws.recv(timeout=60))["status"] == "queued"


def test_everything_in_one_starts_and_converts_behind_keys(tmp_path: Path) -> None:
    data = snapshot()
    with (
        service(tmp_path, AUTH__API_KEYS=KEYS) as server,
        connect(server.ws_url, max_size=None, additional_headers={"X-API-Key": KEY}) as ws,
    ):
        ws.send(message(data))
        assert answers(ws, 1)[-1]["status"] == "done"
        assert Client(server.url).download(md5(data)).status_code == 401
        client = Client(server.url)
        client.http.headers["X-API-Key"] = OTHER
        assert client.download(md5(data)).status_code == 200

"""Every answer is one that the schema promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.conftest import running_redis
from tests.disk import full_for
from tests.pictures import md5, snapshot, unique
from tests.service import Client, Service
from tests.web.alone import Web, answer, web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS
from tests.web.raw import PART, UPLOAD_HEAD
from tests.web.sockets import announcement, answers, message

NOBODY = "0" * 32


@pytest.fixture(scope="module")
def done(server: Service) -> str:
    """The MD5 of a picture that is done in several forms."""
    client, data = Client(server.url), snapshot()
    with client.http:
        assert client.upload(data).status_code == 202
        assert client.upload(data, "jpg", quality="70").status_code == 202
        sized = {"width": "90", "height": "60", "fit": "cover", "gravity": "attention"}
        more = {"background": "#fff", "effort": "fast", "keep": "icc,copyright", "q": "60"}
        assert client.upload(data, "avif", **sized, **more).status_code == 202
        client.wait(md5(data))
    return md5(data)


@pytest.mark.parametrize(
    ("asked", "headers", "status"),
    [
        ("GET /", {}, 200),
        ("GET /healthz", {}, 200),
        ("HEAD /healthz", {}, 200),
        ("GET /readyz", {}, 200),
        ("HEAD /readyz", {}, 200),
        ("GET /metrics", {}, 200),
        ("GET /metrics", {"Accept": "application/openmetrics-text"}, 200),
        ("GET /status/DONE", {}, 200),
        ("GET /status/DONE?wait=9", {}, 200),
        ("GET /status/DONE", {"Prefer": "wait=9"}, 200),
        ("HEAD /status/DONE", {"Prefer": "wait=9"}, 200),
        ("GET /status/DONE?wait=61", {}, 400),
        ("GET /status/nothing", {}, 404),
        (f"GET /status/{NOBODY}", {}, 404),
        ("GET /events/DONE", {}, 200),
        ("HEAD /events/DONE", {}, 200),
        ("GET /events/DONE", {"Accept": "image/*"}, 406),
        (f"GET /events/{NOBODY}", {}, 404),
        ("GET /queue/DONE", {}, 404),
        (f"GET /queue/{NOBODY}", {}, 404),
        ("GET /download/DONE", {}, 200),
        ("GET /download/DONE?format=webp", {"Range": "bytes=0-9"}, 206),
        ("GET /download/DONE?format=jpg&quality=70", {}, 200),
        ("GET /download/DONE?format=avif&width=90&height=60&fit=cover", {}, 404),
        ("GET /download/DONE?format=webp", {"Range": "bytes=99999999-"}, 416),
        ("GET /download/DONE?format=webp", {"If-None-Match": "*"}, 304),
        ("GET /download/DONE?width=wide", {}, 400),
        ("GET /download/DONE?format=pdf", {}, 404),
        (f"GET /download/{NOBODY}", {}, 404),
        ("HEAD /download/DONE", {}, 200),
        ("HEAD /download/DONE?format=webp", {"Range": "bytes=0-9"}, 206),
        ("HEAD /download/DONE?format=webp", {"If-None-Match": "*"}, 304),
        ("HEAD /download/DONE?format=webp", {"Range": "bytes=99999999-"}, 416),
        ("HEAD /download/DONE?q=0", {}, 400),
        (f"HEAD /download/{NOBODY}", {}, 404),
        ("HEAD /download/DONE", {"If-Match": '"other"'}, 412),
        ("GET /download/DONE", {"If-Unmodified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, 412),
        ("HEAD /", {}, 200),
        ("HEAD /metrics", {}, 200),
        ("HEAD /status/DONE", {}, 200),
        ("HEAD /status/nothing", {}, 404),
        ("HEAD /queue/DONE", {}, 404),
        ("GET /ws", {}, 426),
    ],
)
def test_a_request_is_answered_as_the_schema_says(
    *,
    contract: Contract,
    client: Client,
    done: str,
    asked: str,
    headers: dict[str, str],
    status: int,
) -> None:
    method, path = asked.replace("DONE", done).split()
    response = client.http.request(method, path, headers=headers)
    assert response.status_code == status
    contract.check(response)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 202),
        ({"format": "same", "width": "50", "lossless": "no", "keep": "icc"}, 202),
        ({"format": "bmp"}, 400),
        ({"q": "200"}, 400),
        ({"fit": "cover"}, 400),
        ({"format": "jpg", "lossless": "true"}, 400),
        ({"quality": "x" * 2000}, 400),
    ],
)
def test_an_upload_is_answered_as_the_schema_says(
    contract: Contract, client: Client, fields: dict[str, str], status: int
) -> None:
    data = snapshot()
    response = client.upload(data, **fields)
    assert response.status_code == status, response.text
    contract.check(response)
    if status == 202:
        client.wait(md5(data))
        again = client.upload(data, **fields)
        assert again.status_code == 200
        contract.check(again)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"content": b"nothing"}, 400),
        ({"files": {"other": b"x"}}, 400),
        ({"files": {"picture": b"no picture"}}, 415),
        ({"files": {"picture": b"x" * (10 * 1024**2 + 1)}}, 413),
    ],
)
def test_a_bad_upload_is_refused_as_the_schema_says(
    contract: Contract, client: Client, request_: dict[str, Any], status: int
) -> None:
    response = client.http.post("/upload", **request_)
    assert response.status_code == status
    contract.check(response)


@pytest.fixture
def alone(redis_url: str, tmp_path: Path) -> Iterator[tuple[Web, Contract]]:
    """A web with keys and narrow limits, without workers."""
    settings = {
        "AUTH__API_KEYS": KEYS,
        "LIMITS__RATE": "4/hour",
        "LIMITS__MAX_QUEUE": 1,
        "LIMITS__SOCKETS": 1,
        "LIMITS__UPLOAD_TIMEOUT": 5,
    }
    with web(tmp_path, redis_url, **settings) as running:
        yield running, Contract(running.url)


def test_keys_and_limits_are_as_the_schema_says(alone: tuple[Web, Contract]) -> None:
    running, contract = alone
    for method, path in (
        ("GET", "/"),
        ("POST", "/upload"),
        ("GET", f"/status/{NOBODY}"),
        ("GET", f"/events/{NOBODY}"),
        ("GET", f"/queue/{NOBODY}"),
        ("GET", f"/download/{NOBODY}"),
        ("HEAD", f"/download/{NOBODY}"),
    ):
        response = running.client.http.request(method, path)
        assert response.status_code == 401
        contract.check(response)
    client = Client(running.url)
    client.http.headers["X-API-Key"] = KEY
    data = snapshot()
    with client.http:
        with full_for([running.process()]):
            full = client.upload(data)
        uploads = [full, *(client.upload(sent) for sent in (data, unique(data), b"no", data))]
        assert [upload.status_code for upload in uploads] == [507, 202, 503, 415, 429]
        for response in (*uploads, client.http.get(f"/queue/{md5(data)}")):
            contract.check(response)
    assert {upload.headers["x-ratelimit-limit"] for upload in uploads} == {"4"}


def test_a_socket_is_refused_as_the_schema_says(alone: tuple[Web, Contract]) -> None:
    running, contract = alone
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    http = running.client.http
    refused = http.get("/ws", headers={**upgrade, "X-API-Key": "wrong"})
    assert refused.status_code == 401
    contract.check(refused)
    with connect(running.ws_url, additional_headers={"X-API-Key": KEY}) as ws:
        assert ws.response is not None
        opened = {name.lower(): value for name, value in ws.response.headers.raw_items()}
        contract.check_parts("GET", "/ws", 101, opened, b"")
        crowded = http.get("/ws", headers={**upgrade, "X-API-Key": KEY})
    assert crowded.status_code == 503
    contract.check(crowded)


def test_a_slow_upload_is_refused_as_the_schema_says(alone: tuple[Web, Contract]) -> None:
    running, contract = alone
    with running.connection() as connection:
        head = UPLOAD_HEAD.replace(b"Host: x", f"Host: x\r\nX-API-Key: {KEY}".encode())
        connection.sendall(head + PART + os.urandom(1000))
        status, headers, body = answer(connection)
    assert status == 408
    contract.check_parts("POST", "/upload", status, headers, body)


def test_without_redis_answers_are_as_the_schema_says(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as embedded, web(tmp_path, embedded.url) as running:
        contract = Contract(running.url)
        assert embedded.process is not None
        embedded.process.kill()
        embedded.process.wait()
        http = running.client.http
        for response in (
            running.client.upload(snapshot()),
            *(http.get(f"/{name}/{NOBODY}") for name in ("status", "events", "queue", "download")),
            http.head(f"/download/{NOBODY}"),
        ):
            assert response.status_code == 503
            contract.check(response)
        embedded.start()


def test_each_message_of_a_socket_is_as_the_schema_says(
    contract: Contract, server: Service
) -> None:
    data = snapshot()
    picture = json.loads(message(data, width=40, keep=["icc"]))
    contract.validate(picture, contract.component("SocketPicture"))
    announced = json.loads(announcement(width=41, keep=["icc"]))
    contract.validate(announced, contract.component("SocketAnnouncement"))
    wrong = [{**picture, "format": "pdf"}, {**picture, "data": "%"}, {**picture, "q": 0}, []]
    with connect(server.ws_url, max_size=None) as ws:
        ws.send(json.dumps({"api_key": "any"}))
        authorized = json.loads(ws.recv(timeout=60))
        contract.validate(authorized, contract.component("SocketAuthorized"))
        ws.send(json.dumps(picture))
        steps = answers(ws, 1)
        ws.send(json.dumps(announced))
        ws.send(data)
        steps += answers(ws, 1)
        for order in wrong:
            ws.send(json.dumps(order))
        errors = [json.loads(ws.recv(timeout=60)) for _ in wrong]
    for step in steps:
        name = "SocketDone" if step["status"] == "done" else "SocketStep"
        contract.validate(step, contract.component(name))
    assert [step["status"] for step in steps] == ["queued", "processing", "done"] * 2
    for error in errors:
        contract.validate(error, contract.component("SocketError"))
    codes = {"unsupported_format", "decode_error", "invalid_option", "invalid_json"}
    assert {error["message"] for error in errors} == codes


CHECKS = (
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
"""What Schemathesis may find fault with: not with requests that are taken though the schema calls
them wrong, as a `quality` of 0, which clients have always been allowed."""


@pytest.mark.timeout(530)  # half a minute, on a machine that has nothing else to do
def test_generated_requests_good_and_bad_are_answered_as_the_schema_says(
    redis_url: str, tmp_path: Path
) -> None:
    program = Path(sys.executable).parent / "schemathesis"
    with web(tmp_path, redis_url) as running:
        run = subprocess.run(
            [
                str(program),
                *("run", f"{running.url}/docs/openapi.json", "--generation-deterministic"),
                *("--phases", "examples,coverage,fuzzing", "--mode", "all"),
                *("--max-examples", "6", "--checks", ",".join(CHECKS)),
                # HEAD is answered by the handler of GET, with the same headers (test_http.py).
                *("--exclude-path", "/ws", "--exclude-method", "HEAD", "--no-color"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=500,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        methods = [method for _, method in Contract(running.url).operations]
        count = len(methods) - methods.count("head") - 1
        assert run.stdout.count(f"{count} passed") >= 2, run.stdout
        assert running.access(status=500) == running.troubles() == []


def test_a_wrong_answer_would_be_seen(contract: Contract, client: Client) -> None:
    """The tests above could not fail if this did."""
    about = client.http.get("/")
    request = about.request
    for wrong in (
        httpx.Response(200, json={}, headers=dict(about.headers), request=request),
        httpx.Response(418, json=about.json(), headers=dict(about.headers), request=request),
        httpx.Response(200, json=about.json(), request=request),
    ):
        with pytest.raises(Exception, match=r"required|GET / "):
            contract.check(wrong)

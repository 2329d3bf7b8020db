"""POST /upload with the address of a picture in place of its file."""

from __future__ import annotations

import base64
import json
import os
import signal
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import redis
from websockets.sync.client import connect

from tests import rq_keys
from tests.hosts import Host, host
from tests.pictures import md5, opened, photograph, snapshot
from tests.service import Client, Service, command, service, until
from tests.web.alone import Web, web
from tests.web.contract import Contract
from tests.web.sockets import answers
from tests.web.streams import status_codes, steps_told, streaming

FETCHING = {"FETCH__ENABLED": "true", "FETCH__ALLOWED_NETWORKS": "127.0.0.1/32"}
NOBODY = f"fetch-{'0' * 32}"
SECRET = "s3cr3t-t0ken"


@pytest.fixture(scope="module")
def site() -> Iterator[Host]:
    with host() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {**FETCHING, "FETCH__TIMEOUT": 3, "LOGS__FORMAT": "json"}
    settings |= {"UPLOAD__MAX_UPLOAD_SIZE": "1MB", "UPLOAD__MAX_CONCURRENT_TASKS": 3}
    with service(tmp_path_factory.mktemp("links"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Service) -> Iterator[Client]:
    client = Client(server.url)
    with client.http:
        yield client


@pytest.fixture
def alone(redis_url: str, tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path, redis_url, **FETCHING, LIMITS__MAX_QUEUE=2) as running:
        yield running


def _send(client: Client, url: str, **fields: Any) -> str:
    """The id of an upload."""
    accepted = client.http.post("/upload", json={"url": url, **fields})
    assert accepted.status_code == 202, accepted.text
    return str(accepted.json()["id"])


def _ended(client: Client, id: str) -> list[dict[str, Any]]:
    answer = client.http.get(f"/status/{id}?wait=60&details=true")
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def test_a_picture_is_fetched_and_converted_whatever_kind_of_body_names_it(
    client: Client, contract: Contract, site: Host
) -> None:
    data = snapshot()
    site.files["rocket.jpg"] = data
    url = f"{site.url}/files/rocket.jpg?token={SECRET}"
    asked = {"url": url, "format": "png", "width": "60"}
    answers = [
        client.http.post("/upload", data=asked),
        client.http.post("/upload", data=asked, files={"other": b""}),
        client.http.post("/upload", json={**asked, "width": 60, "unknown": {}}),
    ]
    for answer in answers:
        contract.check(answer)
        assert answer.status_code == 202
        assert answer.json()["status"] == "fetching"
    ids = {answer.json()["id"] for answer in answers}
    assert len(ids) == 3  # three fetches
    for id in ids:
        status = client.http.get(f"/status/{id}?wait=60&details=true")
        contract.check(status)
        (job,) = status.json()
        assert (job["id"], job["md5"], job["status"]) == (id, md5(data), "done")
        assert (job["filename"], job["options"]) == ("rocket.jpg", {"width": 60})
        result = client.http.get(urljoin(str(status.url), job["download_url"]))
        assert opened(result.content).width == 60
    assert len(client.status(md5(data))) == 1  # and one conversion
    assert client.http.get(f"/status/{id}").json()[0]["md5"] == md5(data)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/status/404", ("source_not_found", "Server responded with 404")),
        ("/announced", ("size_exceeded", "larger than 1048576 bytes")),
        ("/endless", ("size_exceeded", "larger than 1048576 bytes")),
        ("/silent", ("source_not_found", "longer than 3 seconds")),
        ("/short", ("source_not_found", "cut off")),
        ("/files/text.jpg", ("not_an_image", "not a picture")),
        ("/to/http://169.254.169.254/", ("source_not_found", "not lead to a public address")),
        ("/to/file:///etc/passwd", ("source_not_found", "begin with http:// or https://")),
        ("http://no-such-host.invalid/", ("source_not_found", "Cannot find the server")),
    ],
)
def test_what_cannot_be_had_has_failed_with_a_code_and_a_sentence(
    client: Client, contract: Contract, site: Host, path: str, told: tuple[str, str]
) -> None:
    code, words = told
    site.files["text.jpg"] = b"no picture"
    id = _send(client, f"{site.url}{path}?{SECRET}" if path.startswith("/") else path)
    status = client.http.get(f"/status/{id}?wait=60")
    contract.check(status)
    (failed,) = status.json()
    assert (failed["id"], failed["status"], failed["error"]["code"]) == (id, "failed", code)
    assert words in failed["error"]["message"]
    assert "md5" not in failed
    # By events too, and 204 to who has been told.
    with streaming(client.http, f"/events/{id}") as events:
        only, end = events
    assert only.data == failed
    assert status_codes(client.http, f"/events/{id}", end.id) == 204


def test_options_that_no_upload_may_have_are_refused_at_once(
    client: Client, contract: Contract
) -> None:
    for fields, code in (
        ({"url": "https://example.org/a.jpg", "format": "bmp"}, "unsupported_format"),
        ({"url": "https://example.org/a.jpg", "width": "wide"}, "invalid_option"),
        ({"url": "file:///etc/passwd"}, "invalid_option"),
        ({"url": "https://"}, "invalid_option"),
        ({"url": "https://[::1"}, "invalid_option"),
        ({"url": f"https://example.org/{'a' * 5000}"}, "invalid_option"),
        ({"url": "https://example.org/\u00e9"}, "invalid_option"),
        ({"url": ["https://example.org/"]}, "invalid_option"),
        ({"url": "ftp://example.org/a.jpg"}, "invalid_option"),
        ({"url": "http://user:etc@example.org/a.jpg"}, "invalid_option"),
        ({"url": "http://127.0.0.1:99999/x"}, "invalid_option"),
        ({"url": "http://example.org:1/"}, "invalid_option"),
        ({"url": "http://169.254.169.254/"}, "invalid_option"),
        ({"url": ""}, "invalid_form"),
        ({}, "invalid_form"),
    ):
        refused = client.http.post("/upload", json=fields)
        contract.check(refused)
        assert (refused.status_code, refused.json()["error"]) == (400, code), fields
        assert "etc" not in refused.json()["message"]
    kinds = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
    for body, kind, status in (
        (b"[]", kinds["json"], 400),
        (b"{", kinds["json"], 400),
        (b"[" * 50_000, kinds["json"], 400),
        (b"url=%ff", kinds["form"], 400),
        (b"a=b&" * 100 + b"url=http://example.org", kinds["form"], 400),
        (b"url=" + b"a" * 70_000, kinds["form"], 413),
    ):
        refused = client.http.post("/upload", content=body, headers={"Content-Type": kind})
        contract.check(refused)
        assert refused.status_code == status, body[:20]
    both = client.http.post(
        "/upload", files={"picture": photograph("rocket")}, data={"url": "http://example.org"}
    )
    assert (both.status_code, both.json()["error"]) == (400, "invalid_form")


def test_a_form_without_a_picture_is_told_of_both_ways(client: Client) -> None:
    bodies: list[dict[str, Any]] = [
        {"files": {"other": b""}},
        {"data": {"format": "png"}},
        {"json": {}},
    ]
    for body in bodies:
        refused = client.http.post("/upload", **body)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_form")
        assert refused.json()["message"].endswith("the file 'picture', or its address as 'url'")


def test_where_an_id_is_not_taken_the_answer_says_where_it_is(
    client: Client, contract: Contract
) -> None:
    for path in ("download", "queue"):
        unknown = client.http.get(f"/{path}/{NOBODY}")
        contract.check(unknown)
        assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
        assert "/status and /events take the id" in unknown.json()["message"]


def test_an_unknown_id_is_not_found(client: Client, contract: Contract) -> None:
    for path in (NOBODY, f"{NOBODY}?wait=1", "fetch-1", f"{NOBODY}0", NOBODY.upper()):
        for method, route in (("GET", "status"), ("GET", "events"), ("DELETE", "status")):
            unknown = client.http.request(method, f"/{route}/{path}")
            contract.check(unknown)
            assert unknown.status_code == 404


def test_steps_are_told_from_the_fetch_to_the_end(
    server: Service, client: Client, contract: Contract, site: Host
) -> None:
    decoders, data = server.freeze(3), snapshot()
    site.files["steps.jpg"] = data
    try:
        id = _send(client, f"{site.url}/files/steps.jpg")
        told = steps_told(client.http, f"/events/{id}?progress=true", decoders)
    finally:
        for decoder in decoders:
            decoder.resume()
    assert [(each.name, each.data.get("status")) for each in told[-3:]] == [
        ("message", "processing"),
        ("message", "done"),
        ("end", None),
    ]
    for each in told[:-1]:
        kind = "LinkStatus" if each.data["status"] == "fetching" else "Status"
        contract.validate(each.data, contract.component(kind))
        assert each.data["id"] == id
    assert status_codes(client.http, f"/events/{id}", told[-1].id) == 204


def test_on_a_socket_an_open_format_is_auto_until_the_conversion_is_done(
    server: Service, client: Client, contract: Contract, site: Host
) -> None:
    decoders, data = server.freeze(3), snapshot()
    site.files["open.jpg"] = data
    order: dict[str, Any] = {
        "url": f"{site.url}/files/open.jpg",
        "format": "auto",
        "width": 40,
        "details": True,
    }
    try:
        taken = _send(client, **order)
        until(
            lambda: client.http.get(f"/status/{taken}").json()[0]["status"] == "processing",
            what="the picture is in work",
        )
        # It is in work before the socket asks for it, and told so before it is done.
        with connect(server.ws_url, max_size=None) as ws:
            ws.send(json.dumps(order))
            steps = [json.loads(ws.recv(timeout=60)) for _ in range(3)]
            for decoder in decoders:
                decoder.resume()
            steps += answers(ws, 1)
    finally:
        for decoder in decoders:
            decoder.resume()
    assert [step["status"] for step in steps] == ["fetching", "queued", "processing", "done"]
    assert [step["format"] for step in steps[1:3]] == ["auto", "auto"]
    assert steps[3]["format"] in ("webp", "png", "jpg", "avif")
    assert "result_bytes" not in steps[2]
    contract.validate(steps[2], contract.component("SocketStep"))


def test_nothing_of_the_url_is_logged_or_kept(server: Service, client: Client, site: Host) -> None:
    site.files[f"{SECRET}/x.jpg"] = snapshot()
    for path in (f"/files/{SECRET}/x.jpg?{SECRET}", f"/status/403?{SECRET}", f"/to/{SECRET}"):
        _ended(client, _send(client, f"{site.url}{path}"))
    server.wait_for("a picture by its URL: failed")
    assert not [line for line in server.log if SECRET in line]
    with redis.Redis.from_url(server.redis_url) as connection:
        jobs = connection.keys(rq_keys.job("fetch-*"))
        assert jobs
        for name in jobs:
            fields = connection.hgetall(name)
            assert SECRET.encode() not in b"".join(fields.values())
            assert SECRET.encode() not in zlib.decompress(fields[b"data"])


def test_while_it_is_fetched_its_status_says_so_and_a_wait_ends_in_time(
    alone: Web, connection: redis.Redis
) -> None:
    id, contract = _send(alone.client, "https://example.org/a.jpg"), Contract(alone.url)
    for query in ("", "?wait=1", "?details=true"):
        status = alone.client.http.get(f"/status/{id}{query}")
        contract.check(status)
        assert status.json() == [{"id": id, "status": "fetching"}]
    with streaming(alone.client.http, f"/events/{id}") as events:
        assert next(events).data == {"id": id, "status": "fetching"}
        alone.send_signal(signal.SIGTERM)
        assert list(events) == []
    assert alone.wait() == 0
    assert alone.troubles() == []


def test_one_that_waits_is_withdrawn_and_who_follows_it_is_told(
    alone: Web, connection: redis.Redis
) -> None:
    http, contract = alone.client.http, Contract(alone.url)
    id = _send(alone.client, f"https://example.org/a.jpg?{SECRET}", batch="holiday")
    with (
        ThreadPoolExecutor(1) as pool,
        streaming(http, f"/events/{id}") as events,
        connect(alone.ws_url) as ws,
    ):
        assert next(events).data["status"] == "fetching"
        waiting = pool.submit(http.get, f"/status/{id}?wait=60")
        withdrawn = http.delete(f"/status/{id}")
        contract.check(withdrawn)
        assert withdrawn.json() == [{"id": id, "status": "withdrawn"}]
        last, end = events
        contract.validate(last.data, contract.component("LinkStatus"))
        assert (last.data["status"], end.name) == ("failed", "end")
        assert "withdrawn" in last.data["error"]["message"]
        assert waiting.result().status_code == 404
        # And who has sent it over a socket.
        ws.send(json.dumps({"url": "https://example.org/a.jpg"}))
        own = json.loads(ws.recv(timeout=60))["id"]
        assert http.delete(f"/status/{own}").status_code == 200
        (error,) = answers(ws, 1)
        assert (error["id"], error["message"]) == (own, "processing_failed")
    assert http.delete(f"/status/{id}").status_code == 404
    assert http.get("/batch/holiday").status_code == 404
    assert [key for key in connection.scan_iter() if id.encode() in key] == []
    assert connection.llen(rq_keys.queue("interactive")) == 0
    assert alone.troubles() == []


def test_of_one_that_is_fetched_the_conversions_that_wait_are_withdrawn(
    server: Service, client: Client, contract: Contract, site: Host
) -> None:
    site.files["wide.jpg"] = snapshot()
    decoders = server.freeze(3)
    try:
        id = _send(client, f"{site.url}/files/wide.jpg", widths="40,41,42,43,44")

        def statuses() -> list[str]:
            return [each["status"] for each in client.http.get(f"/status/{id}").json()]

        until(lambda: statuses().count("processing") == 3, what="all workers have one")
        withdrawn = client.http.delete(f"/status/{id}")
    finally:
        for decoder in decoders:
            decoder.resume()
    contract.check(withdrawn)
    assert {each["id"] for each in withdrawn.json()} == {id}
    states = sorted(each["status"] for each in withdrawn.json())
    assert states == ["processing"] * 3 + ["withdrawn"] * 2
    assert [job["status"] for job in _ended(client, id)] == ["done"] * 3
    # What has ended stays, and so does what could not be had.
    assert [each["status"] for each in client.http.delete(f"/status/{id}").json()] == ["done"] * 3
    lost = _send(client, f"{site.url}/status/404")
    failed = _ended(client, lost)
    stays = client.http.delete(f"/status/{lost}")
    contract.check(stays)
    assert stays.json() == failed


def test_one_that_a_worker_is_fetching_stays(
    client: Client, contract: Contract, site: Host
) -> None:
    site.files["slowly.jpg"] = snapshot()
    path = f"/once_silent/slowly.jpg?{os.urandom(4).hex()}"
    id = _send(client, f"{site.url}{path}")
    until(lambda: path in [asked for asked, _ in list(site.requests)], what="it is asked for")
    stays = client.http.delete(f"/status/{id}")
    contract.check(stays)
    assert stays.json() == [{"id": id, "status": "fetching"}]
    (failed,) = _ended(client, id)
    assert "longer than 3 seconds" in failed["error"]["message"]


def test_fetches_count_as_pictures_that_wait(alone: Web, connection: redis.Redis) -> None:
    for _ in range(2):
        _send(alone.client, "https://example.org/a.jpg")
    full = alone.client.http.post("/upload", json={"url": "https://example.org/a.jpg"})
    Contract(alone.url).check(full)
    assert (full.status_code, full.json()["error"]) == (503, "queue_full")
    # Those of the Tinify API too.
    tinify = alone.client.http.post(
        "/shrink", json={"source": {"url": "https://example.org/"}}, auth=("api", "any")
    )
    assert tinify.status_code == 503
    _send(alone.client, "https://example.org/a.jpg", priority="bulk")
    assert connection.llen(rq_keys.queue("bulk")) == 1


def test_nothing_is_fetched_where_it_is_not_allowed(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url) as running:
        refused = running.client.http.post("/upload", data={"url": "https://example.org/a.jpg"})
        Contract(running.url).check(refused)
        assert (refused.status_code, refused.json()["error"]) == (403, "not_allowed")
        for files in ({"other": b""}, None):
            missing = running.client.http.post("/upload", data={"format": "png"}, files=files)
            assert missing.json()["message"].endswith("as the file 'picture'")


def test_what_a_key_may_have_holds_for_what_is_fetched(
    redis_url: str, tmp_path: Path, site: Host
) -> None:
    keys = {"shop": {"key": "0123456789abcdef", "formats": ["webp"]}}
    site.files["a.jpg"] = snapshot()
    settings = {**FETCHING, "AUTH__API_KEYS": json.dumps(keys)}
    with service(tmp_path, **settings) as running:
        client = Client(running.url)
        assert client.http.post("/upload", json={"url": site.url}).status_code == 401
        client.http.headers["X-API-Key"] = "0123456789abcdef"
        (done,) = _ended(client, _send(client, f"{site.url}/files/a.jpg", format="webp"))
        assert done["status"] == "done"
        # Its own format is known only once it is there.
        (failed,) = _ended(client, _send(client, f"{site.url}/files/a.jpg", format="same"))
        assert failed["error"]["code"] == "not_allowed"


def test_a_fetch_whose_worker_is_killed_is_done_by_another(tmp_path: Path, site: Host) -> None:
    data = snapshot()
    site.files["late.jpg"] = data
    with service(tmp_path, **FETCHING, UPLOAD__MAX_CONCURRENT_TASKS=1) as running:
        client = Client(running.url)
        before = len(site.requests)
        id = _send(client, f"{site.url}/once_silent/late.jpg")
        until(lambda: len(site.requests) > before, what="it is being fetched")
        for process in running.family():
            if "-m workers: " in command(process):
                process.kill()
        (done,) = _ended(client, id)
        assert (done["md5"], done["status"]) == (md5(data), "done")


def test_many_at_once_end_each(client: Client, site: Host) -> None:
    data = snapshot()
    site.files["many.jpg"] = data
    url = f"{site.url}/files/many.jpg"
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: _send(client, url, width=33), range(40)))
        ended = [job for jobs in pool.map(lambda id: _ended(client, id), ids) for job in jobs]
    assert len(set(ids)) == 40
    assert {(job["md5"], job["status"]) for job in ended} == {(md5(data), "done")}
    assert len(client.status(md5(data))) == 1


def test_a_socket_names_pictures_by_their_url(
    server: Service, contract: Contract, site: Host
) -> None:
    data = snapshot()
    site.files["socket.jpg"] = data
    with connect(server.ws_url, max_size=None) as ws:
        order = {"url": f"{site.url}/files/socket.jpg", "width": 40, "details": True}
        contract.validate(order, contract.component("SocketLink"))
        ws.send(json.dumps(order))
        fetching, *steps = answers(ws, 1)
        contract.validate(fetching, contract.component("SocketFetching"))
        for step in steps:
            name = "SocketDone" if step["status"] == "done" else "SocketStep"
            contract.validate(step, contract.component(name))
            assert (step["id"], step["md5"]) == (fetching["id"], md5(data))
        assert opened(base64.b64decode(steps[-1]["file"])).width == 40
        for wrong, code in (
            ({"url": f"{site.url}/status/404"}, "source_not_found"),
            ({"url": f"{site.url}/files/nothing.jpg"}, "source_not_found"),
            ({"url": "file:///etc/passwd"}, "invalid_option"),
            ({"url": 5}, "invalid_option"),
            ({"url": "http://example.org:1/a.jpg"}, "invalid_option"),
            ({"url": site.url, "format": "bmp"}, "unsupported_format"),
            ({"url": site.url, "widths": "50"}, "invalid_option"),
            ({"url": site.url, "data": base64.b64encode(data).decode()}, "invalid_option"),
        ):
            ws.send(json.dumps(wrong))
            *_, error = answers(ws, 1)
            contract.validate(error, contract.component("SocketError"))
            assert (error["status"], error["message"]) == ("error", code), wrong
            if "data" in wrong:
                assert error["detail"] == "There are both a picture and a 'url': send one of them"
        ws.send(json.dumps({**order, "binary": False, "data": None}))
        assert answers(ws, 1)[-1]["status"] == "done"

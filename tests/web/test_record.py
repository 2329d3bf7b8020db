"""The access log: one line a request, and one a picture of a socket."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from bench.launch import ROOT, free_port
from tests.pictures import md5, snapshot
from tests.service import Client, Service, environment, until
from tests.web.alone import answer, web
from tests.web.sockets import answers, message

FIELDS = {
    "time",
    "level",
    "id",
    "method",
    "path",
    "status",
    "key",
    "address",
    "md5",
    "outcome",
    "milliseconds",
    "bytes_in",
    "bytes_out",
}


def _lines(server: Service, **wanted: object) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in list(server.log)]
    return [line for line in lines if all(line.get(k) == v for k, v in wanted.items())]


def test_a_request_is_one_line_with_all_that_is_known_of_it(
    server: Service, client: Client
) -> None:
    data = snapshot()
    form = {"files": {"picture": ("secret-name.jpg", data)}, "headers": {"X-Request-ID": "up-1"}}
    response = client.http.post("/upload?token=hidden", **form)  # type: ignore[arg-type]
    assert response.headers["x-request-id"] == "up-1"
    (line,) = until(lambda: _lines(server, id="up-1"))
    assert line.keys() >= FIELDS
    assert (line["method"], line["path"], line["status"]) == ("POST", "/upload", 202)
    assert (line["md5"], line["outcome"]) == (md5(data), "queued")
    assert line["bytes_in"] > len(data)
    assert line["bytes_out"] == len(response.content)
    assert (line["address"], line["key"], line["level"]) == ("127.0.0.1", None, "info")
    assert line["milliseconds"] > 0
    assert "hidden" not in str(line)

    client.wait(md5(data))
    client.http.post("/upload", **{**form, "headers": {"X-Request-ID": "up-2"}})  # type: ignore[arg-type]
    (line,) = until(lambda: _lines(server, id="up-2"))
    assert (line["status"], line["outcome"]) == (200, "done")

    file = client.http.get(f"/download/{md5(data)}", headers={"X-Request-ID": "down-1"})
    (line,) = until(lambda: _lines(server, id="down-1"))
    assert (line["md5"], line["outcome"]) == (md5(data), "ok")
    assert line["bytes_out"] == len(file.content)


@pytest.mark.parametrize(
    ("method", "path", "ending"),
    [
        ("GET", "/nothing", (404, "not_found")),
        ("GET", f"/status/{'0' * 32}", (404, "not_found")),
        ("DELETE", "/", (405, "method_not_allowed")),
        ("POST", "/upload", (400, "invalid_form")),
        ("HEAD", f"/download/{'0' * 32}", (404, "not_found")),
    ],
)
def test_a_refused_request_is_one_line_with_its_error(
    server: Service, client: Client, method: str, path: str, ending: tuple[int, str]
) -> None:
    id = client.http.request(method, path).headers["x-request-id"]
    (line,) = until(lambda: _lines(server, id=id))
    assert (line["status"], line["outcome"]) == ending


def test_each_picture_of_a_socket_is_a_line(server: Service) -> None:
    data = snapshot()
    headers = {"X-Request-ID": "socket-1"}
    with connect(server.ws_url, max_size=None, additional_headers=headers) as ws:
        ws.send(message(data))
        done = answers(ws, 1)[-1]
        ws.send(message(b"no picture"))
        answers(ws, 1)
    until(lambda: len(_ws(server)) == 3, what="three lines")
    first, second, socket = _ws(server)
    assert (first["md5"], first["outcome"], first["status"]) == (md5(data), "done", 200)
    assert first["bytes_out"] > len(done["file"])
    assert first["bytes_in"] == len(message(data))
    assert (second["outcome"], second["status"]) == ("not_an_image", 415)
    assert (socket["id"], socket["status"], socket["outcome"]) == ("socket-1", 101, "closed")


def _ws(server: Service) -> list[dict[str, Any]]:
    return [line for line in _lines(server, path="/ws") if str(line["id"]).startswith("socket-1")]


@pytest.mark.parametrize("id", ["a b", "x" * 200, '"', "<script>", "ä", ""])
def test_a_request_id_that_is_not_sane_is_replaced(client: Client, id: str) -> None:
    response = client.http.get("/", headers={b"X-Request-ID": id.encode()})
    assert re.fullmatch("[0-9a-f]{16}", response.headers["x-request-id"])


def test_whatever_a_client_sends_a_line_stays_a_line(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url) as running:
        for path in (b"/\x1b[31m", b"/%0a%0d", b"/\xff\xfe", b'/"\\', b"/" + b"x" * 7000):
            with running.connection() as connection:
                connection.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                status, _, _ = answer(connection)
            assert 400 <= status < 500
        until(lambda: len([x for x in running.access() if x["path"] != "/healthz"]) == 5)
        assert "\x1b" not in "".join(running.log)
        assert all(len(line) < 2000 for line in running.log)


def test_on_a_terminal_the_log_is_text_and_elsewhere_json(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "web"],
        cwd=ROOT,
        env=environment(tmp_path, port, REDIS__URL=redis_url),
        stdin=subprocess.DEVNULL,
        stderr=terminal,
    )
    try:
        client = Client(f"http://127.0.0.1:{port}")
        until(client.answers)
        shown = b""
        while b"outcome=ok" not in shown:
            shown += os.read(main, 65536)
    finally:
        process.terminate()
        process.wait(30)
        os.close(main)
        os.close(terminal)
    assert b"app.access: GET /  id=" in shown
    with web(tmp_path, redis_url, LOGS__FORMAT="text") as running:
        assert running.wait_for("app.access: GET /healthz")


def test_all_processes_log_as_json(server: Service, client: Client) -> None:
    data = snapshot()
    client.upload(data, filename="logged.jpg")
    client.wait(md5(data))
    server.wait_for("logged.jpg → webp")
    loggers = {json.loads(line)["logger"] for line in list(server.log)}
    assert {"app.run.supervisor", "app.access", "workers.tasks"} <= loggers

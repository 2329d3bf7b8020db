"""The recipe for an error in CONTRIBUTING.md: one class, and it is told everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from websockets.sync.client import connect

from app.run.embedded import EmbeddedRedis
from bench.launch import ROOT
from tests.pictures import md5, snapshot
from tests.web.alone import Web
from tests.web.contract import Contract
from tests.web.sockets import message

# Not imported from there: the errors of this process are to stay those of the server.
STATUS, CODE = 451, "too_blue"


class _Toy(Web):
    """The web of `tests.toy_error`."""

    module = "tests.toy_error"


@pytest.fixture(scope="module")
def toy(session_redis: EmbeddedRedis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    running = _Toy(tmp_path_factory.mktemp("toy"), session_redis.url)
    try:
        yield running.ready()
    finally:
        running.client.http.close()
        running.terminate()


def test_an_error_that_is_declared_once_is_answered_over_http_as_the_schema_says(toy: Web) -> None:
    refused = toy.client.upload(snapshot())
    assert refused.status_code == STATUS
    assert refused.json() == {"error": CODE, "message": "The picture is 100 % blue"}
    assert refused.headers["retry-after"] == "7"
    contract = Contract(toy.url)
    contract.check(refused)
    told = contract.operations["/upload", "post"]["responses"][str(STATUS)]
    assert "Retry-After" in told["headers"]
    (example,) = told["content"]["application/json"]["examples"].values()
    assert example["value"]["message"] == "The picture is 99 % blue"
    assert str(STATUS) not in contract.operations["/status/{md5}", "get"]["responses"]


def test_it_is_told_on_a_socket_as_the_schema_says(toy: Web) -> None:
    data = snapshot()
    with connect(toy.ws_url) as ws:
        ws.send(message(data))
        told = json.loads(ws.recv(timeout=60))
    assert told == {"status": "error", "message": CODE, "md5": md5(data)}
    contract = Contract(toy.url)
    contract.validate(told, contract.component("SocketError"))


def test_it_has_a_line_in_the_table_of_the_docs() -> None:
    show = "import tests.toy_error, script.tables as t; print(t.table(t.errors_rows()))"
    table = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    line = "| 451 | `too_blue` | yes | yes | The picture is bluer than this server likes. |"
    assert line in table.splitlines()

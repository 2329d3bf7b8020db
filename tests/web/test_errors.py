"""A server whose Redis is gone."""

from __future__ import annotations

import json
import time
from pathlib import Path

from websockets.sync.client import connect

from bench.launch import free_port
from tests.conftest import running_redis
from tests.pictures import md5, snapshot, unique
from tests.service import Client, Process, environment, until
from tests.web.sockets import message


def test_without_redis_every_answer_is_503_at_once_and_with_it_all_goes_on(tmp_path: Path) -> None:
    port = free_port()
    with running_redis(tmp_path / "redis") as embedded:
        assert embedded.process is not None
        web = Process(["app", "web"], environment(tmp_path, port, REDIS__URL=embedded.url))
        client = Client(f"http://127.0.0.1:{port}")
        try:
            until(client.answers, what="the web answers")
            data = snapshot()
            assert client.upload(data).status_code == 202
            with connect(f"ws://127.0.0.1:{port}/ws") as ws:
                embedded.process.kill()
                embedded.process.wait()
                began = time.monotonic()
                for response in (
                    client.upload(unique(data)),
                    client.http.get(f"/status/{md5(data)}"),
                    client.http.get(f"/queue/{md5(data)}"),
                    client.download(md5(data)),
                ):
                    assert response.status_code == 503
                    assert response.json()["error"] == "unavailable"
                    assert int(response.headers["retry-after"]) > 0
                ws.send(message(data))
                assert json.loads(ws.recv(timeout=10))["message"] == "unavailable"
                assert time.monotonic() - began < 10
                # Nothing of the refused ones is left in the storage.
                assert len([p for p in (tmp_path / "output").rglob("*") if p.is_file()]) == 1

                embedded.start()
                assert client.upload(unique(data)).status_code == 202
                assert client.status(md5(data))[0]["status"] == "queued"
                ws.send(message(data))
                assert json.loads(ws.recv(timeout=10))["status"] == "queued"
        finally:
            web.terminate()
    assert "Traceback" not in "".join(web.log)

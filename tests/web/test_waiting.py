"""Sockets that wait for a picture."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path

from websockets.sync.client import connect

from tests.pictures import noise, unique
from tests.web.alone import web

SOCKETS = 12


def test_a_socket_that_waits_holds_nothing_of_the_picture_it_has_sent(
    redis_url: str, tmp_path: Path
) -> None:
    picture = noise(1200)
    with web(tmp_path, redis_url) as server, contextlib.ExitStack() as stack:

        def send() -> None:
            data = base64.b64encode(unique(picture)).decode()
            socket = stack.enter_context(connect(server.ws_url, max_size=None))
            socket.send(json.dumps({"filename": "a.jpg", "format": "webp", "data": data}))
            assert json.loads(socket.recv())["status"] == "queued"

        for _ in range(4):
            send()
        before = server.process().memory_full_info().uss
        for _ in range(SOCKETS):
            send()
        grown = server.process().memory_full_info().uss - before
    print(f"{grown / SOCKETS:.0f} bytes a socket, with pictures of {len(picture)}")
    assert grown < SOCKETS * len(picture) / 2

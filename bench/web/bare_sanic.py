"""A Sanic server with one route and nothing around it: what a request costs before any of ours."""

from __future__ import annotations

import multiprocessing
import socket
from multiprocessing.connection import Connection as Pipe
from typing import Any, Self

from sanic import HTTPResponse, Request, Sanic
from sanic.response import json

from bench.launch import HOST
from imaging.process.parent import die_with_parent


class BareSanic:
    """A process that answers `GET /` with a JSON object of about 100 bytes."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        # It listens before the server runs, so that nobody waits for that.
        self._socket = socket.create_server((HOST, 0))
        self.port = int(self._socket.getsockname()[1])
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(self._socket, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        self._pipe.recv()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.join()
        self._socket.close()


def _main(sock: socket.socket, pipe: Pipe) -> None:
    die_with_parent(multiprocessing.parent_process().pid)  # type: ignore[arg-type, union-attr]
    app = Sanic[Any, Any]("bare", configure_logging=False)

    @app.get("/")
    async def about(request: Request) -> HTTPResponse:
        return json({"version": "1.2.3", "number": 3, "text": "x" * 60})

    @app.after_server_start
    async def tell(app: object) -> None:
        pipe.send(None)

    app.prepare(sock=sock, single_process=True, motd=False, access_log=False)
    Sanic.serve_single(app)

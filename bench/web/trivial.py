"""A server that does nothing but answer: what the client costs by itself."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.connection import Connection as Pipe
from typing import Self

from bench.launch import HOST
from imaging.process.parent import die_with_parent


class TrivialServer:
    """A process that answers whatever it reads with a body of some bytes."""

    def __init__(self, size: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_main, args=(theirs, size), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        self.port = int(self._pipe.recv())
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.join()


class _Answering(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(self._answer)


def _main(pipe: Pipe, size: int) -> None:
    die_with_parent(multiprocessing.parent_process().pid)  # type: ignore[arg-type, union-attr]
    asyncio.run(_serve(pipe, size))


async def _serve(pipe: Pipe, size: int) -> None:
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode() + bytes(size)
    server = await asyncio.get_running_loop().create_server(lambda: _Answering(answer), HOST, 0)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()

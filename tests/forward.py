"""A port whose connections go on to somewhere else."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import TypeAlias

Streams: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.contextmanager
def forwarded(
    connect: Callable[[], Awaitable[Streams]], context: ssl.SSLContext | None = None
) -> Iterator[int]:
    """The port.

    Args:
        connect: makes the connection that one of the port's goes on to.
        context: of TLS, if the port is to speak it.
    """
    ready: Future[tuple[int, Callable[[], object]]] = Future()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(64 * 1024):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await connect()
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    async def serve() -> None:
        server = await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context, backlog=1000)
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        port = server.sockets[0].getsockname()[1]
        ready.set_result((port, lambda: loop.call_soon_threadsafe(ended.set)))
        await ended.wait()
        server.close()  # the end of the loop cancels what is still under way

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    port, stop = ready.result(10)
    try:
        yield port
    finally:
        stop()
        thread.join(10)

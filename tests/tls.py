"""A port in front of a Redis that listens on a unix socket; with TLS if that is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from urllib.parse import unquote, urlparse


@contextlib.contextmanager
def port_of(redis_url: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Forward connections to the Redis.

    The redis-server that comes with the tests is built without TLS, so its clients' side alone is
    real; tests/tls_server.py has one that speaks TLS itself, where there is one.
    """
    path = unquote(urlparse(redis_url).path)
    loop = asyncio.new_event_loop()
    ready: Future[int] = Future()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(64 * 1024):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_redis = await asyncio.open_unix_connection(path)
        await asyncio.gather(pump(reader, to_redis[1]), pump(to_redis[0], writer))

    async def serve() -> None:
        async with await asyncio.start_server(forward, "127.0.0.1", 0, ssl=context) as server:
            ready.set_result(server.sockets[0].getsockname()[1])
            await asyncio.Event().wait()

    def run() -> None:
        serving = loop.create_task(serve())
        loop.run_forever()
        serving.cancel()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield ready.result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)

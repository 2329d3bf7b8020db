"""One client of `/events`, which reads no more than it must."""

from __future__ import annotations

import asyncio
import re
import time

from bench.errors import BenchError
from bench.launch import HOST

_STATUS = re.compile(rb'"status": ?"(\w+)"')


class Listener(asyncio.Protocol):
    """Notes when its picture is told to be done."""

    def __init__(self, md5: str, received: dict[str, float]) -> None:
        """
        Args:
            received: gets the time by `time.monotonic()`, by the MD5.
        """
        self._md5 = md5
        self._received = received
        self._buffer = bytearray()
        self.told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Set once it is told how its picture stands."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        path = f"/events/{self._md5}?progress=true"
        head = f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: text/event-stream\r\n\r\n"
        transport.write(head.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.told.done():
            self.told.set_exception(BenchError(f"no events: {bytes(self._buffer[:200])!r}"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n\n")) >= 0:
            self._take(bytes(self._buffer[:end]))
            del self._buffer[: end + 2]

    def _take(self, event: bytes) -> None:
        if (found := _STATUS.search(event)) is None:
            return
        if not self.told.done():
            self.told.set_result(None)
        if found[1] == b"done":
            self._received[self._md5] = time.monotonic()

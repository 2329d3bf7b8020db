"""An HTTP/1.1 client that leaves the cores to the server: keep-alive connections on raw sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError

BOUNDARY = "tinyimage-bench-7d1f0c"
RECEIVE_SIZE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    body: bytearray

    def json(self) -> Any:
        """The body as JSON data."""
        return json.loads(self.body)


class Connection:
    """One connection to a server on this machine, used for one request after the other."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._socket = socket.socket()
        self._socket.setblocking(False)

    async def open(self) -> None:
        """Connect."""
        await asyncio.get_running_loop().sock_connect(self._socket, (self._host, self._port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Give the connection back."""
        self._socket.close()

    async def get(self, path: str) -> Answer:
        """The answer to a GET."""
        return await self.send(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    async def post_form(self, path: str, form: bytes) -> Answer:
        """The answer to a POST of a body that `encode_form` made."""
        return await self.post(path, f"multipart/form-data; boundary={BOUNDARY}", form)

    async def post(self, path: str, media_type: str, body: bytes, user: str = "") -> Answer:
        """The answer to a POST.

        Args:
            user: name and password of Basic, with a colon between them.
        """
        basic = f"Authorization: Basic {b64encode(user.encode()).decode()}\r\n" if user else ""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\n{basic}"
            f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return await self.send(head.encode() + body)

    async def send(self, request: bytes) -> Answer:
        """The answer to a whole request.

        Raises:
            BenchError: if the connection ends, or the answer has no length.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(self._socket, request)
            received = bytearray()
            while (end := received.find(b"\r\n\r\n")) < 0:
                received += await self._receive(loop)
            status, length = _parse_head(bytes(received[:end]))
            del received[: end + 4]
            if length is None:
                return Answer(status, await self._chunks(loop, received))
            body = bytearray(length)
            filled = len(received)
            body[:filled] = received
            view = memoryview(body)
            while filled < length:
                size = await loop.sock_recv_into(self._socket, view[filled:])
                if not size:
                    raise BenchError("the server closed the connection")
                filled += size
        except OSError as error:
            raise BenchError(f"the connection to the server: {error}") from None
        return Answer(status, body)

    async def _chunks(self, loop: asyncio.AbstractEventLoop, received: bytearray) -> bytearray:
        """The body that comes in chunks, as Go's servers send what they have not counted."""
        body = bytearray()
        while True:
            while (end := received.find(b"\r\n")) < 0:
                received += await self._receive(loop)
            size = int(received[:end].split(b";")[0], 16)
            while len(received) < end + 2 + size + 2:
                received += await self._receive(loop)
            body += received[end + 2 : end + 2 + size]
            del received[: end + 2 + size + 2]
            if not size:
                return body

    async def _receive(self, loop: asyncio.AbstractEventLoop) -> bytes:
        data = await loop.sock_recv(self._socket, RECEIVE_SIZE)
        if not data:
            raise BenchError("the server closed the connection")
        return data


def encode_form(filename: str, picture: bytes, fields: dict[str, str]) -> bytes:
    """A multipart/form-data body: the fields, and `picture` as the file of that name."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; "
        f'name="picture"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return b"".join(("".join(parts).encode(), picture, f"\r\n--{BOUNDARY}--\r\n".encode()))


def _parse_head(head: bytes) -> tuple[int, int | None]:
    """The status, and the bytes of the body; None if it comes in chunks."""
    status_line, *lines = head.split(b"\r\n")
    status = int(status_line.split()[1])
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return status, int(value)
        if name.lower() == b"transfer-encoding" and value.strip().lower() == b"chunked":
            return status, None
    raise BenchError(f"an answer without a length: {status_line.decode()}")

"""Bytes as they are on the wire: an upload for those who do not send all of it, the frames of a
socket whose client is the test itself."""

from __future__ import annotations

import base64
import os
import socket
from collections.abc import Iterable

from tests.service import until
from tests.web.alone import Web

UPLOAD_HEAD = (
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    b"Content-Length: 3000000\r\n\r\n"
)
PART = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.png"\r\n\r\n'
"""The head of the picture's part."""


def raw_socket(running: Web, receive_buffer: int | None = None) -> socket.socket:
    """A WebSocket without a client library."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", running.port))
    key = base64.b64encode(os.urandom(16))
    connection.sendall(
        b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1)
    return connection


def frame(data: bytes, length: int | None = None, opcode: int = 0x81) -> bytes:
    """A masked frame, whose head may promise more than there is."""
    length = len(data) if length is None else length
    return bytes([opcode, 0xFF]) + length.to_bytes(8, "big") + bytes(4) + data


def flooded(running: Web, connection: socket.socket, frames: Iterable[bytes], lines: int) -> int:
    """The peak of a server's resident bytes while frames are sent as fast as the connection takes
    them, until the access log has that many lines for the socket's messages."""
    process = running.process()
    peak = 0

    def told() -> bool:
        nonlocal peak
        peak = max(peak, int(process.memory_info().rss))
        return len(running.access(path="/ws", method="WS")) >= lines

    for data in frames:
        connection.sendall(data)
        peak = max(peak, int(process.memory_info().rss))
    until(told, 120, f"{lines} messages are answered")
    return peak

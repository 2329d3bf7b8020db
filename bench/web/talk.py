"""Clients that do one thing after the other, on sockets that block: they add least to a latency."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from dataclasses import dataclass
from typing import Any, Self

from bench.client import BOUNDARY
from bench.errors import BenchError
from bench.frames import HANDSHAKE, PING, PONG, STEP, SWITCHED, TEXT, encode_head, find_frame
from bench.launch import HOST

ANSWER_SECONDS = 30.0
LOOK_SECONDS = 0.0005
"""Between two looks at a picture, where a server does not wait by itself."""

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        """What the header says."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name:
                return value.strip()
        raise BenchError(f"an answer without {name}")


class Talk:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((HOST, port), ANSWER_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def _receive(self) -> bytes:
        if not (data := self._socket.recv(1 << 16)):
            raise BenchError("the server closed the connection")
        return data


class HttpTalk(Talk):
    """HTTP/1.1, kept alive."""

    def convert(self, form: bytes) -> float:
        """Upload a picture that nobody has seen.

        Returns:
            seconds until its status is `done`.
        """
        began = time.perf_counter()
        self.wait(json.loads(self.ask(upload_request(form), 202).body)["md5"])
        return time.perf_counter() - began

    def wait(self, md5: str) -> None:
        """Return when the picture is done."""
        look = get_request(f"/status/{md5}?wait=20")
        while (state := json.loads(self.ask(look, 200).body)[0]["status"]) != "done":
            if state == "failed":
                raise BenchError("the service could not convert a picture")
            time.sleep(LOOK_SECONDS)

    def ask(self, request: bytes, status: int) -> Reply:
        """The answer, which is to have this status."""
        self._socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        if not data.startswith(f"HTTP/1.1 {status} ".encode()):
            raise BenchError(f"not {status}: {data[:300].decode('latin-1')}")
        length = _LENGTH.search(data, 0, end)
        parts, missing = [data[end + 4 :]], int(length[1]) if length else 0
        missing -= len(parts[0])
        while missing > 0:
            parts.append(self._receive())
            missing -= len(parts[-1])
        return Reply(data[:end], b"".join(parts))


class SocketTalk(Talk):
    """`/ws`."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._socket.sendall(HANDSHAKE)
        self._buffer = bytearray()
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            self._buffer += self._receive()
        if not self._buffer.startswith(SWITCHED):
            raise BenchError(f"no socket: {bytes(self._buffer[:200])!r}")
        del self._buffer[: end + 4]

    def convert(self, picture: bytes, **fields: Any) -> float:
        """Send a picture that nobody has seen.

        Returns:
            seconds until its result is there.
        """
        began = time.perf_counter()
        message = json.dumps(
            {"filename": "picture", "data": base64.b64encode(picture).decode(), **fields}
        ).encode()
        self._socket.sendall(encode_head(TEXT, len(message)) + message)
        while (state := self._next_state()) != "done":
            if state == "error":
                raise BenchError("the service could not convert a picture")
        return time.perf_counter() - began

    def _next_state(self) -> str:
        while True:
            while (frame := find_frame(self._buffer)) is None:
                self._buffer += self._receive()
            opcode, start, end = frame
            payload = bytes(self._buffer[start:end])
            del self._buffer[:end]
            if opcode == PING:  # on a busy machine a run takes longer than the server waits for it
                self._socket.sendall(encode_head(PONG, len(payload)) + payload)
            elif opcode == TEXT:
                step = STEP.match(payload)
                return step[1].decode() if step else "error"


def get_request(path: str, **headers: str) -> bytes:
    """A whole GET."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n".encode()


def upload_request(form: bytes) -> bytes:
    """A whole upload of a body that `encode_form` made."""
    head = (
        f"POST /upload HTTP/1.1\r\nHost: {HOST}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    )
    return head.encode() + form

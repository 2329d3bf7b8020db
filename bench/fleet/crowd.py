"""Many clients of `/ws`, each with one picture at a time, and of `/events`, in a process of their
own."""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import json
import multiprocessing
import socket
import struct
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Self

from bench.errors import BenchError
from bench.fleet.listener import Listener
from bench.frames import HANDSHAKE, PING, PONG, STEP, SWITCHED, TEXT, encode_head, find_frame
from bench.launch import HOST
from imaging.process.parent import die_with_parent

AT_ONCE = 16
"""Sockets that send their picture at the same moment."""

ANSWER_SECONDS = 300.0


class Crowd:
    """Starts the process, tells it what to do, and hears what its sockets have received."""

    def __init__(self, port: int, count: int) -> None:
        """
        Args:
            count: sockets.
        """
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_main, args=(theirs, port, count), name="crowd", daemon=True
        )
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        self._ask("open")
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.join()

    def send(self, picture: Path, number: int) -> list[str]:
        """Have each socket send the picture, each as one that nobody has seen, and wait until all
        are queued.

        Args:
            number: another one each time.

        Returns:
            their MD5s, in the order of the sockets.
        """
        return list(self._ask("send", str(picture), number))

    def follow(self, md5s: Sequence[str]) -> None:
        """Have each socket follow one of these pictures as a page does, and wait until each is told
        how its picture stands.

        Args:
            md5s: as many as there are sockets.
        """
        self._ask("follow", list(md5s))

    def listen(self, md5s: Sequence[str]) -> None:
        """Open an event stream for each of these pictures, and wait until each is told how its
        picture stands."""
        self._ask("listen", list(md5s))

    def received(self) -> dict[str, float]:
        """The time by `time.monotonic()` at which each picture was there as a whole or, of one that
        is followed or listened for, was told to be done; by its MD5."""
        return dict(self._ask("received"))

    def _ask(self, *question: object) -> Any:
        try:
            self._pipe.send(question)
            if not self._pipe.poll(ANSWER_SECONDS):
                raise BenchError("the sockets take too long")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise BenchError("the sockets have ended; the lines above say why") from None
        if isinstance(answer, Exception):
            raise BenchError(str(answer))
        return answer


class _Socket(asyncio.Protocol):
    """One client, which reads no more of a message than it must."""

    def __init__(self, received: dict[str, float]) -> None:
        self._received = received
        self._buffer = bytearray()
        self._open = False
        self._transport: asyncio.Transport
        self.queued: asyncio.Future[None]
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE)

    def connection_lost(self, exc: Exception | None) -> None:
        for future in (self.opened, getattr(self, "queued", None)):
            if future is not None and not future.done():
                future.set_exception(BenchError("the server has closed a socket"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(SWITCHED):
                self.opened.set_exception(BenchError(f"no socket: {bytes(self._buffer[:200])!r}"))
                return
            del self._buffer[: end + 4]
            self._open = True
            self.opened.set_result(None)
        while (frame := find_frame(self._buffer)) is not None:
            opcode, start, end = frame
            if opcode == PING:
                self._send(PONG, bytes(self._buffer[start:end]))
            elif opcode == TEXT:
                self._take(bytes(self._buffer[start : min(end, start + 200)]))
            del self._buffer[:end]

    def send_message(self, message: bytes) -> None:
        """Send a message; `queued` is set when the server has taken it."""
        self.queued = asyncio.get_running_loop().create_future()
        self._send(TEXT, message)

    def _take(self, head: bytes) -> None:
        match = STEP.match(head)
        if match is None or match[1] == b"error":
            if not self.queued.done():
                self.queued.set_exception(BenchError(f"not taken: {head!r}"))
            return
        if match[1] == b"queued" and not self.queued.done():
            self.queued.set_result(None)
        elif match[1] == b"done":
            self._received[match[3].decode()] = time.monotonic()

    def _send(self, opcode: int, payload: bytes) -> None:
        self._transport.write(encode_head(opcode, len(payload)))
        self._transport.write(payload)


def _main(pipe: Pipe, port: int, count: int) -> None:
    die_with_parent(multiprocessing.parent_process().pid)  # type: ignore[arg-type, union-attr]
    asyncio.run(_serve(pipe, port, count))


async def _serve(pipe: Pipe, port: int, count: int) -> None:
    loop = asyncio.get_running_loop()
    received: dict[str, float] = {}
    sockets: list[_Socket] = []
    while True:
        command, *arguments = await loop.run_in_executor(None, pipe.recv)
        answer: object = None
        try:
            if command == "open":
                sockets = await _open(port, count, received)
            elif command == "send":
                answer = await _send(sockets, *arguments)
            elif command == "follow":
                await _follow(sockets, *arguments)
            elif command == "listen":
                await _listen(port, received, *arguments)
            else:
                answer = received
        except (BenchError, OSError) as error:
            answer = error
        pipe.send(answer)


async def _listen(port: int, received: dict[str, float], md5s: Sequence[str]) -> None:
    loop = asyncio.get_running_loop()
    for md5 in md5s:
        _, listener = await loop.create_connection(
            functools.partial(Listener, md5, received), HOST, port, family=socket.AF_INET
        )
        await listener.told


async def _open(port: int, count: int, received: dict[str, float]) -> list[_Socket]:
    loop = asyncio.get_running_loop()
    sockets = []
    for _ in range(count):
        _, client = await loop.create_connection(
            lambda: _Socket(received), HOST, port, family=socket.AF_INET
        )
        await client.opened
        sockets.append(client)
    return sockets


async def _send(sockets: Sequence[_Socket], picture: str, number: int) -> list[str]:
    data = await asyncio.to_thread(Path(picture).read_bytes)
    room = asyncio.Semaphore(AT_ONCE)

    async def send(place: int, client: _Socket) -> str:
        async with room:
            mine = data + struct.pack(">QQ", number, place)
            fields = {
                "filename": "picture.jpg",
                "format": "webp",
                "data": base64.b64encode(mine).decode(),
            }
            client.send_message(json.dumps(fields).encode())
            await client.queued
            return hashlib.md5(mine).hexdigest()

    return list(await asyncio.gather(*(send(*item) for item in enumerate(sockets))))


async def _follow(sockets: Sequence[_Socket], md5s: Sequence[str]) -> None:
    room = asyncio.Semaphore(AT_ONCE)

    async def follow(client: _Socket, md5: str) -> None:
        async with room:
            fields = {"follow": md5, "progress": True, "details": True}
            client.send_message(json.dumps(fields).encode())
            await client.queued

    await asyncio.gather(*(follow(*pair) for pair in zip(sockets, md5s, strict=True)))

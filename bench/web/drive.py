"""A client in a process of its own that asks as fast as it is answered."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Self

from bench.errors import BenchError
from bench.launch import HOST
from imaging.process.parent import die_with_parent

CONNECTIONS = 16
"""Kept open, each with one request at a time."""

SILENT_SECONDS = 10.0
"""After which a server that answers nothing is given up."""

_BUFFER = 1 << 20
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Driven:
    """What one run of the client has seen."""

    answers: int
    seconds: float
    cpu: float
    """CPU seconds of the client."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


class Driver:
    """The process of the client. It reads a head as far as it must, and no body."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        parent = os.getpid()
        self._process = ProcessPoolExecutor(1, context, partial(die_with_parent, parent))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.shutdown(cancel_futures=True)

    def run(self, port: int, requests: Sequence[bytes], status: int, seconds: float) -> Driven:
        """Ask for some seconds, and longer if there are few answers by then.

        Args:
            requests: whole ones, sent in turn.
            status: of every answer.

        Raises:
            BenchError: if an answer is another, or does not come.
        """
        try:
            return self._process.submit(_drive, port, requests, status, seconds).result()
        except BrokenProcessPool:
            raise BenchError("the client has ended; the lines above say why") from None
        except OSError as error:
            raise BenchError(f"the connection to the server: {error}") from None


class _Client:
    """One connection."""

    def __init__(self, port: int, requests: Iterator[bytes], status: bytes) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = requests
        self._status = status
        self._head = b""
        self._left = 0
        """Bytes of the body that are still to come."""

    def ask(self) -> None:
        """Send the next request."""
        self.socket.sendall(next(self._requests))

    def read(self, buffer: memoryview) -> bool:
        """Take what has come. Returns whether the answer is complete."""
        size = self.socket.recv_into(buffer)
        if not size:
            raise BenchError("the server closed the connection")
        if self._left:
            self._left -= size
            return not self._left
        data = self._head + bytes(buffer[: min(size, 4096)])
        end = data.find(_END)
        if end < 0:
            self._head = data
            return False
        if not data.startswith(self._status):
            raise BenchError(f"not {self._status.decode()}: {data[:300].decode('latin-1')}")
        length = _LENGTH.search(data, 0, end)
        received = len(self._head) + size - end - len(_END)
        self._left = (int(length[1]) if length else 0) - received
        self._head = b""
        return not self._left


def _drive(port: int, requests: Sequence[bytes], status: int, seconds: float) -> Driven:
    line = f"HTTP/1.1 {status} ".encode()
    turns = itertools.cycle(requests)
    buffer = memoryview(bytearray(_BUFFER))
    clients = [_Client(port, turns, line) for _ in range(CONNECTIONS)]
    answers = 0
    try:
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client.socket, selectors.EVENT_READ, client)
            cpu, began = time.process_time(), time.perf_counter()
            for client in clients:
                client.ask()
            while time.perf_counter() - began < seconds or answers < CONNECTIONS:
                ready = selector.select(SILENT_SECONDS)
                if not ready:
                    raise BenchError(f"the server has been silent for {SILENT_SECONDS:.0f} s")
                for key, _ in ready:
                    if key.data.read(buffer):
                        answers += 1
                        key.data.ask()
            return Driven(answers, time.perf_counter() - began, time.process_time() - cpu)
    finally:
        for client in clients:
            client.socket.close()

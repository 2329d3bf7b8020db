"""What is done to the service, in an order that the seed decides."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

import psutil

from soak.service import Role, Service
from soak.stream import Stream

PAUSE_SECONDS = (0.5, 3.0)
"""Between two faults, at least and at most."""

HANG_SECONDS = (1.0, 8.0)
"""How long a Redis is stopped; longer than a command to it may take, too."""


class Fault(StrEnum):
    """One thing that happens to a service in a year."""

    DECODER = "kill -9 of a decoder"
    WORKER = "kill -9 of a worker"
    WEB = "kill -9 of a web process"
    REDIS = "kill -9 of Redis"
    HANG = "Redis stopped for a while"
    PARENT = "kill -9 of the parent, and a new start"
    RESTART = "SIGTERM and a new start"
    HALF_UPLOAD = "a client that sends half an upload"
    LOST_SOCKET = "a socket that is closed before its answer"


_KILLED = {
    Fault.DECODER: Role.DECODER,
    Fault.WORKER: Role.WORKER,
    Fault.WEB: Role.WEB,
    Fault.REDIS: Role.REDIS,
}


class Schedule:
    """Every fault once in each round, each round in another order."""

    def __init__(
        self, service: Service, stream: Stream, seed: int, tell: Callable[[str], None]
    ) -> None:
        self._service = service
        self._stream = stream
        self._random = random.Random(seed + 2)
        self._tell = tell
        self.counts: Counter[Fault] = Counter()

    async def run(self, seconds: float) -> None:
        """Hurt the service for so long.

        Raises:
            SoakError: if it does not end, or does not start again.
        """
        deadline = time.monotonic() + seconds
        deck: list[Fault] = []
        while time.monotonic() < deadline:
            if not deck:
                deck = list(Fault)
                self._random.shuffle(deck)
            fault = deck.pop()
            await self._do(fault)
            self.counts[fault] += 1
            await asyncio.sleep(self._random.uniform(*PAUSE_SECONDS))

    async def _do(self, fault: Fault) -> None:
        if role := _KILLED.get(fault):
            self._tell(f"{fault}: {self._kill(role)}")
            return
        self._tell(fault)
        if fault is Fault.HANG:
            await self._hang(self._random.uniform(*HANG_SECONDS))
        elif fault is Fault.PARENT:
            await asyncio.to_thread(self._service.kill_parent)
            await asyncio.to_thread(self._service.start)
        elif fault is Fault.RESTART:
            await asyncio.to_thread(self._service.terminate)
            await asyncio.to_thread(self._service.start)
        elif fault is Fault.HALF_UPLOAD:
            await self._stream.vanish_from_upload()
        elif fault is Fault.LOST_SOCKET:
            await self._stream.vanish_from_socket()

    def _kill(self, role: Role) -> str:
        """Kill one that runs as `role`. Returns which."""
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            process = self._random.choice(self._service.processes(role))
            process.kill()
            return str(process.pid)
        return "none was there"

    async def _hang(self, seconds: float) -> None:
        with contextlib.suppress(psutil.NoSuchProcess, ValueError):
            (process,) = self._service.processes(Role.REDIS)
            process.suspend()
            try:
                await asyncio.sleep(seconds)
            finally:
                process.resume()

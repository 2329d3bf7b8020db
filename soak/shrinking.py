"""Clients of the Tinify API: each output of a 201 can be fetched after any fault."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from bench.client import Connection
from bench.errors import BenchError
from bench.launch import HOST
from imaging.formats import Format
from soak.pictures import Pictures, is_whole

CLIENTS = 2

USER = "api:soak"
"""Any key is good where the service has none."""

ANSWER_SECONDS = 75.0
"""The service answers within the 55 s of `tinify.wait`; an answer that takes longer is a hang."""

AGAIN_SECONDS = 0.5
"""As the official clients wait before they repeat a request."""

FORMATS = {format.media_type: format for format in Format}


@dataclass(slots=True)
class Outputs:
    """What was answered."""

    made: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What the 201 said of each output, by its path."""
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    """Answers that must never be given, and outputs that are not there."""


class Shrinking:
    """The clients, until told to stop."""

    def __init__(self, port: int, seed: int) -> None:
        self.outputs = Outputs()
        self._port = port
        self._pictures = Pictures(seed + 3)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop`; then end when all that was sent is answered."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._shrink())

    def stop(self) -> None:
        """Begin nothing new."""
        self._stopping.set()

    async def judge(self) -> None:
        """Fetch each output."""
        connection = Connection(HOST, self._port)
        await connection.open()
        try:
            for path, told in self.outputs.made.items():
                answer = await connection.get(path)
                if answer.status != 200:
                    self.outputs.wrong.append(f"{path} is answered with {answer.status}")
                elif len(answer.body) != told["size"]:
                    self.outputs.wrong.append(
                        f"{path} has {len(answer.body)} bytes in place of {told['size']}"
                    )
                elif not is_whole(bytes(answer.body), FORMATS[told["type"]]):
                    self.outputs.wrong.append(f"{path} is not a whole picture")
        finally:
            connection.close()

    async def _shrink(self) -> None:
        while not self._stopping.is_set():
            connection = Connection(HOST, self._port)
            try:
                await connection.open()
                while not self._stopping.is_set():
                    await self._send(connection)
            except (OSError, BenchError):
                self.outputs.answers["none: the connection broke"] += 1
                await asyncio.sleep(AGAIN_SECONDS)
            finally:
                connection.close()

    async def _send(self, connection: Connection) -> None:
        order = self._pictures.next()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await connection.post("/shrink", "image/*", order.data, USER)
        except TimeoutError:
            self.outputs.wrong.append(f"/shrink was not answered in {ANSWER_SECONDS:g} s")
            raise BenchError("no answer") from None
        told = answer.json()
        self.outputs.answers[f"/shrink {answer.status} {told.get('error', '')}".rstrip()] += 1
        if answer.status == 201:
            if not order.readable:
                self.outputs.wrong.append("/shrink took a picture that cannot be read")
            self.outputs.made[urlsplit(told["output"]["url"]).path] = told["output"]
        elif answer.status == 503:
            await asyncio.sleep(AGAIN_SECONDS)
        # A picture that killed its decoder or worker too often has failed with a reason, as below
        # /upload.
        elif answer.status not in (400, 415):
            self.outputs.wrong.append(f"/shrink was answered with {answer.status}: {told}")

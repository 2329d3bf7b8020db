"""Pictures through the service, several at a time: upload, status until done, download."""

from __future__ import annotations

import asyncio
import itertools
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.client import Answer, Connection, encode_form
from bench.errors import BenchError
from imaging.formats import Format
from imaging.formats.recognise import picture_type

PICTURE_SECONDS = 300.0
"""How long a picture may take before the measurement is given up."""

WAIT_SECONDS = 20
"""How long a server is asked to wait for a picture before it tells its status."""

STEP_SECONDS = 0.01
"""The least time between two looks at the status of a picture."""


@dataclass(frozen=True, slots=True)
class Way:
    """One picture's way through the service."""

    upload: float
    """Seconds from the first byte sent to the upload's own answer."""
    whole: float
    """Seconds from the first byte sent to the last byte of the result."""
    looks: int
    """How often its status was asked for."""
    size: int
    """Bytes of the result."""


@dataclass(frozen=True, slots=True)
class ServiceRun:
    """What one run over all pictures took."""

    seconds: float
    ways: list[Way]
    """In the order of the pictures."""


class Pace:
    """When to ask for a status: clients that ask all the time would measure their own asking."""

    def __init__(self) -> None:
        self._typical = 0.0

    def delays(self) -> Iterator[float]:
        """Seconds to wait before each look: most of the usual time first, then short steps."""
        yield 0.75 * self._typical
        while True:
            yield max(STEP_SECONDS, self._typical / 16)

    def learn(self, seconds: float) -> None:
        """Take in how long a picture took from the upload's answer to `done`."""
        self._typical += (seconds - self._typical) / (8 if self._typical else 1)


class Load:
    """A crowd of clients, each with a connection of its own."""

    def __init__(
        self, host: str, port: int, *, format: Format, quality: int, concurrency: int
    ) -> None:
        self._address = host, port
        self._format = format
        self._quality = quality
        self._concurrency = concurrency
        self._pace = Pace()
        self._server_waits = True
        # From another number in each run: a peer may have the pictures of the last one.
        self._numbers = itertools.count(time.time_ns())

    async def run(self, pictures: Sequence[Path]) -> ServiceRun:
        """Send all pictures, each as one that the service has never seen.

        Raises:
            BenchError: if one of them does not come back.
        """
        connections = [Connection(*self._address) for _ in range(self._concurrency)]
        waiting = iter(enumerate(pictures))
        ways: dict[int, Way] = {}

        async def client(connection: Connection) -> None:
            for number, picture in waiting:
                async with asyncio.timeout(PICTURE_SECONDS):
                    ways[number] = await self._send(connection, picture)

        try:
            for connection in connections:
                await connection.open()
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for connection in connections:
                    group.create_task(client(connection))
            seconds = time.perf_counter() - began
        except* (BenchError, OSError, TimeoutError) as errors:
            raise BenchError(_in_words(errors)) from None
        finally:
            for connection in connections:
                connection.close()
        return ServiceRun(seconds, [ways[number] for number in range(len(pictures))])

    async def _send(self, connection: Connection, picture: Path) -> Way:
        form = self._form(picture)
        began = time.perf_counter()
        answer = await connection.post_form("/upload", form)
        answered = time.perf_counter()
        # 200 would be a picture that was converted before: not what is measured.
        md5 = str(_expect(answer, 202, picture).json()["md5"])
        looks = await self._wait(connection, md5, picture)
        answer = await connection.get(f"/download/{md5}?format={self._format}")
        ended = time.perf_counter()
        return Way(answered - began, ended - began, looks, _size(answer, picture))

    async def _wait(self, connection: Connection, md5: str, picture: Path) -> int:
        """Wait until the picture is done. Returns how often its status was asked for."""
        began = time.perf_counter()
        for looks, delay in enumerate(self._pace.delays(), 1):
            if not self._server_waits:
                await asyncio.sleep(delay)
            asked = time.perf_counter()
            answer = await connection.get(f"/status/{md5}?wait={WAIT_SECONDS}")
            jobs: list[dict[str, Any]] = _expect(answer, 200, picture).json()
            status = jobs[0]["status"]
            if status == "done":
                self._pace.learn(time.perf_counter() - began)
                return looks
            if status == "failed":
                raise BenchError(f"{picture.name}: the service could not convert it")
            if time.perf_counter() - asked < WAIT_SECONDS / 2:
                self._server_waits = False  # an older one, which passes the query over
        raise AssertionError("delays() does not end")

    def _form(self, picture: Path) -> bytes:
        fields = {"format": self._format.value, "quality": str(self._quality)}
        return encode_form(picture.name, self._new(picture), fields)

    def _new(self, picture: Path) -> bytes:
        """The picture as one that no server has seen."""
        # Equal pictures are one job, so each gets another MD5. Its pixels stay as they are: every
        # decoder stops at the end of its picture, and for AVIF these bytes are a box to skip.
        return picture.read_bytes() + struct.pack(">I4sQ", 16, b"free", next(self._numbers))


class ImaginaryLoad(Load):
    """Clients of imaginary, which answers an upload with its result."""

    async def _send(self, connection: Connection, picture: Path) -> Way:
        data = self._new(picture)
        kind = picture_type(data)
        if kind is None:
            raise BenchError(f"{picture.name} is not a picture")
        type = {Format.JPG: "jpeg"}.get(self._format, self._format.value)
        began = time.perf_counter()
        answer = await connection.post(f"/convert?type={type}&quality={self._quality}", kind, data)
        seconds = time.perf_counter() - began
        return Way(seconds, seconds, 0, _size(answer, picture))


class TinifyLoad(Load):
    """Clients of the Tinify API, which take the result where the answer says it is. The pictures
    are of the format that is measured, as they stay of it."""

    async def _send(self, connection: Connection, picture: Path) -> Way:
        data = self._new(picture)
        began = time.perf_counter()
        answer = await connection.post("/shrink", "application/octet-stream", data, user="api:any")
        answered = time.perf_counter()
        output = _expect(answer, 201, picture).json()["output"]
        if output["type"] != self._format.media_type:
            raise BenchError(f"{picture.name} has become {output['type']}, not {self._format}")
        answer = await connection.get(urlsplit(output["url"]).path)
        ended = time.perf_counter()
        return Way(answered - began, ended - began, 0, _size(answer, picture))


def _size(answer: Answer, picture: Path) -> int:
    """Bytes of a result.

    Raises:
        BenchError: if it is none.
    """
    size = len(_expect(answer, 200, picture).body)
    if not size:
        raise BenchError(f"{picture.name}: the result is empty")
    return size


def _expect(answer: Answer, status: int, picture: Path) -> Answer:
    if answer.status != status:
        text = answer.body[:200].decode("utf-8", "replace")
        raise BenchError(f"{picture.name}: status {answer.status} and not {status}: {text}")
    return answer


def _in_words(errors: BaseExceptionGroup[Exception]) -> str:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, TimeoutError):
        return f"a picture took longer than {PICTURE_SECONDS:.0f} s"
    return f"the connection to the server: {first}" if isinstance(first, OSError) else str(first)

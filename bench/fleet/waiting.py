"""An upload and a status with many pictures waiting, beside the same with none."""

from __future__ import annotations

import asyncio
import hashlib
import struct
import sys
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from bench.client import Answer, Connection, encode_form
from bench.errors import BenchError
from bench.fleet.report import Figure, milliseconds, plain_bytes, ratio
from bench.fleet.site import Site
from bench.launch import HOST
from bench.pictures import shipped
from imaging.formats import Format

PICTURE = "rocket.jpg"
"""A photograph of 112 KB."""

FILENAME = "IMG_20240229_183012.jpg"
"""As cameras and phones name their pictures; it stands three times in a job."""

TOKEN = "0123456789abcdef"

MOST_RATIO = 1.2
MOST_MEMORY = 3000.0
"""Bytes a job."""


@dataclass(slots=True)
class _Side:
    """One of the two servers."""

    site: Site
    connection: Connection
    uploads: list[float] = field(default_factory=list)
    statuses: list[float] = field(default_factory=list)


class _Uploads:
    """Pictures that no server has seen."""

    def __init__(self) -> None:
        self._data = shipped([PICTURE])[0].read_bytes()
        self._number = 0

    def next(self) -> tuple[str, bytes]:
        """The MD5 of the next one, and its form."""
        self._number += 1
        data = self._data + struct.pack(">Q", self._number)
        return hashlib.md5(data).hexdigest(), encode_form(FILENAME, data, {"format": "webp"})


def fill(site: Site, count: int) -> float:
    """Have `count` pictures wait. Returns the bytes of Redis that each takes."""
    before = site.used_memory()
    for number in range(count):
        md5 = hashlib.md5(f"waiting {number}".encode()).hexdigest()
        conversion = Conversion(md5, Format.WEBP, 0)
        if not site.queue.submit(conversion, Submission(FILENAME, 1_300_000), token=TOKEN):
            raise BenchError("the queue has taken no job")
    return (site.used_memory() - before) / count


def measure(folder: Path, *, jobs: int, requests: int, repeat: int) -> list[Figure]:
    """The figures.

    Args:
        jobs: pictures that wait.
        requests: uploads and statuses for each server and repeat.
    """
    with Site(folder / "empty") as empty, Site(folder / "full") as full:
        # As a Redis has it that nobody has configured; the embedded one keeps jobs compact.
        full.connection.config_set("hash-max-ziplist-value", 64)
        memory, compact = fill(full, jobs), fill(empty, jobs // 10)
        empty.connection.flushall()
        webs = [site.web(LIMITS__MAX_QUEUE=10 * jobs) for site in (empty, full)]
        sides = [
            _Side(site, Connection(HOST, web.port))
            for site, web in zip((empty, full), webs, strict=True)
        ]
        rounds = asyncio.run(_rounds(sides, requests, repeat))
    figures = []
    for what, times in (
        ("upload accepted", [(r[0].uploads, r[1].uploads) for r in rounds]),
        ("status answered", [(r[0].statuses, r[1].statuses) for r in rounds]),
    ):
        none, many = ([median(pair[n]) for pair in times] for n in (0, 1))
        ratios = [b / a for a, b in zip(none, many, strict=True)]
        note = f"{milliseconds(median(many))} against {milliseconds(median(none))}"
        title = f"{what}, {jobs:,} waiting / none"
        figures.append(Figure(title, ratios, ratio, most=MOST_RATIO, note=note))
    return [
        *figures,
        Figure(
            "Redis for a waiting picture",
            [memory],
            plain_bytes,
            most=MOST_MEMORY,
            note=f"{plain_bytes(compact)} in the embedded one",
        ),
    ]


async def _rounds(sides: list[_Side], requests: int, repeat: int) -> list[list[_Side]]:
    uploads = _Uploads()
    for side in sides:
        await side.connection.open()
    await _round(sides, uploads, max(2, requests // 10))  # warms both
    rounds = []
    for number in range(repeat):
        fresh = [_Side(side.site, side.connection) for side in sides]
        await _round(fresh, uploads, requests)
        rounds.append(fresh)
        print(f"waiting {number + 1}/{repeat}", file=sys.stderr, flush=True)
    for side in sides:
        side.connection.close()
    return rounds


async def _round(sides: list[_Side], uploads: _Uploads, requests: int) -> None:
    for number in range(requests):
        # In turns, so that whatever else the machine does falls on both.
        for side in sides if number % 2 else reversed(sides):
            md5, form = uploads.next()
            client = side.connection
            side.uploads.append(await _timed(client.post_form("/upload", form), 202))
            side.statuses.append(await _timed(client.get(f"/status/{md5}"), 200))
            await _forget(side.site, md5)


async def _timed(request: Awaitable[Answer], status: int) -> float:
    """Seconds that a request takes."""
    began = time.perf_counter()
    answer = await request
    taken = time.perf_counter() - began
    if answer.status != status:
        raise BenchError(f"status {answer.status} and not {status}: {bytes(answer.body[:200])!r}")
    return taken


async def _forget(site: Site, md5: str) -> None:
    """Have as many pictures wait as before."""
    for job in site.queue.find(md5):
        Job.fetch(
            job.conversion.job_id, connection=site.connection, serializer=JSONSerializer
        ).delete()
        await site.storage.delete([job.original_key])

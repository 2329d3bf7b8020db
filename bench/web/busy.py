"""Pictures through the whole service: how soon an upload is answered, and what each costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

from bench.cpu import cpu_of_service
from bench.fleet.report import Figure, milliseconds, per_second
from bench.launch import HOST
from bench.load import Load, ServiceRun
from bench.server import Server
from bench.table import percentile
from bench.web.pictures import jpeg_of, small_files
from imaging.formats import Format
from imaging.quality import DEFAULT_QUALITY

SIZE = 570_000
"""Bytes of a photograph."""

PER_WORKER = 4
"""Pictures at a time for each worker: so all of them have one in hand, and more wait."""

MOST_ACCEPT = 0.050
"""Seconds of an upload's p99 at most, under full load."""

TINY_SIDE, TINY_AT_ONCE, TINY_RATE = 48, 16, 300.0

MOST_OUTSIDE, MOST_WEB = 6.0, 3.5
"""CPU milliseconds a picture at most: of web, worker and Redis, and of the web alone."""


def measure_load(
    server: Server, folder: Path, *, workers: int, count: int, repeat: int
) -> list[Figure]:
    """Answers to uploads while all workers convert, and the CPU of each process meanwhile.

    Args:
        count: pictures of a repeat.
    """
    photograph = folder / "photograph.jpg"
    photograph.write_bytes(jpeg_of(SIZE, folder))
    pictures = [photograph] * count
    load = load_of(server.port, PER_WORKER * workers, Format.JPG)
    asyncio.run(load.run(pictures[: 2 * PER_WORKER * workers]))  # warms every worker
    runs: list[ServiceRun] = []
    used: list[Counter[str]] = []
    for _ in range(repeat):
        before = cpu_of_service(server.pid)
        runs.append(asyncio.run(load.run(pictures)))
        used.append(cpu_of_service(server.pid) - before)
    uploads = [[way.upload for way in run.ways] for run in runs]
    slowest = [percentile(run, 99) for run in uploads]
    rate = median(count / run.seconds for run in runs)
    looks = mean(way.looks for run in runs for way in run.ways)

    def each(*kinds: str) -> Sequence[float]:
        return [sum(cpu[kind] for kind in kinds) / count for cpu in used]

    title = "CPU of a picture"
    return [
        Figure(
            "upload answered under full load, p50",
            [median(run) for run in uploads],
            milliseconds,
            note=f"{rate:.0f} pictures a second of {photograph.stat().st_size / 1e6:.2f} MB",
        ),
        Figure("upload answered under full load, p99", slowest, milliseconds, most=MOST_ACCEPT),
        Figure(
            f"{title} outside the decoder",
            each("web", "worker", "redis"),
            _cpu,
            most=MOST_OUTSIDE,
            note=f"{looks:.1f} looks at each",
        ),
        Figure(f"{title}, web", each("web"), _cpu, most=MOST_WEB),
        Figure(f"{title}, worker", each("worker"), _cpu),
        Figure(f"{title}, Redis", each("redis"), _cpu),
    ]


def measure_tiny(server: Server, folder: Path, *, count: int, repeat: int) -> list[Figure]:
    """Very small pictures, which cost little but the way through the service.

    Args:
        count: pictures of a repeat.
    """
    load = load_of(server.port, TINY_AT_ONCE, Format.WEBP)
    paths = small_files(folder, TINY_SIDE, count)
    asyncio.run(load.run(paths[: 4 * TINY_AT_ONCE]))
    runs = [asyncio.run(load.run(paths)) for _ in range(repeat)]
    accepted = [median(way.upload for way in run.ways) for run in runs]
    rates = [count / run.seconds for run in runs]
    what = f"{count} of {TINY_SIDE} × {TINY_SIDE}, {TINY_AT_ONCE} at a time"
    return [
        Figure(what, rates, per_second, least=TINY_RATE),
        Figure(f"{what}, upload answered, p50", accepted, milliseconds),
    ]


def load_of(port: int, concurrency: int, format: Format) -> Load:
    """Clients of a server on this machine, with the default quality."""
    return Load(HOST, port, format=format, quality=DEFAULT_QUALITY, concurrency=concurrency)


def _cpu(value: float) -> str:
    return f"{value:.2f} ms"

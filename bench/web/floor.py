"""Tiny pictures by the simplest service of the same parts, in turns with this one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median

from bench.client import encode_form
from bench.cpu import cpu_of_service
from bench.fleet.report import Figure, milliseconds, per_second
from bench.load import Load
from bench.server import Server
from bench.web.busy import TINY_AT_ONCE, TINY_SIDE, load_of
from bench.web.latency import SIDE
from bench.web.pictures import small_files, small_pictures
from bench.web.plain_service import PlainService
from bench.web.talk import HttpTalk
from imaging.formats import Format


@dataclass
class _Side:
    """One of the services that are compared."""

    what: str
    port: int
    cpu: Callable[[], Counter[str]]
    load: Load = field(init=False)
    rates: list[float] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.load = load_of(self.port, TINY_AT_ONCE, Format.WEBP)

    def run(self, paths: list[Path]) -> None:
        before = self.cpu()
        run = asyncio.run(self.load.run(paths))
        self.rates.append(len(paths) / run.seconds)
        self.used.update(self.cpu() - before)

    def convert(self, pictures: list[bytes]) -> None:
        """One picture after the other."""
        with HttpTalk(self.port) as talk:
            forms = [encode_form("a.png", picture, {}) for picture in pictures]
            self.idle.append(median(talk.convert(form) for form in forms))

    def figures(self, count: int) -> list[Figure]:
        pictures = count * len(self.rates)
        shares = ", ".join(
            f"{kind} {self.used[kind] / pictures:.1f}"
            for kind in ("web", "worker", "decoder", "redis")
            if self.used[kind]
        )
        rate = f"{self.what}, {TINY_SIDE} × {TINY_SIDE}, {TINY_AT_ONCE} at a time"
        one = f"{self.what}, {SIDE} × {SIDE} to done by HTTP, p50"
        return [
            Figure(rate, self.rates, per_second, note=f"CPU of a picture, ms: {shares}"),
            Figure(one, self.idle, milliseconds),
        ]


def measure(
    server: Server, folder: Path, *, workers: int, count: int, single: int, repeat: int
) -> list[Figure]:
    """The figures of this service, and of the simplest one with workers that fork and that do not.

    Args:
        count: pictures of a repeat, several at a time.
        single: pictures of a repeat, one after the other.
    """
    paths = small_files(folder, TINY_SIDE, count)
    pictures = small_pictures(SIDE, 1)  # `idle` has had those of series 0
    with ExitStack() as stack:
        sides = [_Side("the service", server.port, lambda: cpu_of_service(server.pid))]
        for what, forking in (("plain RQ", False), ("plain RQ that forks", True)):
            own = folder / f"plain-{forking}"
            own.mkdir()
            plain = stack.enter_context(PlainService(own, workers, forking=forking))
            sides.append(_Side(what, plain.port, plain.cpu))
        for side in sides:
            asyncio.run(side.load.run(paths[: 2 * TINY_AT_ONCE]))  # warms it
        for number in range(repeat):
            for side in sides if number % 2 else reversed(sides):
                side.run(paths)
                side.convert(list(islice(pictures, single)))
    return [figure for side in sides for figure in side.figures(count)]

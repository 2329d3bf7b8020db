"""What one web process bears: requests a second, latencies, the CPU of a picture."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.arguments import add_parts, positive
from bench.fleet.report import Figure, figures_table
from bench.interpreter import python_named
from bench.server import Server
from bench.speed import cores
from bench.web import busy, floor, latency
from bench.web.drive import Driver
from bench.web.rates import Rates, measure_bare, measure_client

if TYPE_CHECKING:
    from argparse import _SubParsersAction

PARTS = (
    "client",
    "bare",
    "about",
    "status",
    "download",
    "unchanged",
    "repeat",
    "idle",
    "tiny",
    "floor",
    "load",
)

SECONDS = 3.0
"""Of one run of what is asked as fast as it is answered."""

SMALL, TINY, PHOTOGRAPHS = 200, 500, 150
"""Pictures of a repeat."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `web`."""
    parser = commands.add_parser("web", help=__doc__, description=__doc__)
    add_parts(parser, PARTS, repeat=3)
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="workers of the service (one for each core)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if something does not do what it should.
    """
    scale, repeat = arguments.scale, arguments.repeat
    workers = arguments.workers or cores()

    def count(most: int) -> int:
        return max(8, round(most * float(scale)))

    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as name, Driver() as driver:
        folder = Path(name)
        seconds = SECONDS * scale
        with Server(folder, workers, SERVER__PROCESSES=1, ENGINE__EFFORT="balanced") as server:
            rates = Rates(server, driver, seconds=seconds, repeat=repeat)
            parts: dict[str, Callable[[], list[Figure]]] = {
                "client": lambda: measure_client(driver, seconds=seconds, repeat=repeat),
                "bare": lambda: measure_bare(driver, seconds=seconds, repeat=repeat),
                "about": rates.about,
                "status": rates.status,
                "download": rates.download,
                "unchanged": rates.unchanged,
                "repeat": rates.repeat_upload,
                "idle": lambda: latency.measure(server.port, count=count(SMALL), repeat=repeat),
                "tiny": lambda: busy.measure_tiny(server, folder, count=count(TINY), repeat=repeat),
                "floor": lambda: floor.measure(
                    server,
                    folder,
                    workers=workers,
                    count=count(TINY),
                    single=count(SMALL),
                    repeat=repeat,
                ),
                "load": lambda: busy.measure_load(
                    server, folder, workers=workers, count=count(PHOTOGRAPHS), repeat=repeat
                ),
            }
            for part in arguments.only:
                figures += parts[part]()
    print(
        f"{cores()} cores, {workers} workers, one web process; "
        f"{python_named()}; medians of {repeat} repeats (least–most)\n"
    )
    print(figures_table(figures))

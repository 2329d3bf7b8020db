"""What one web process bears: requests a second, latencies, the CPU of a picture."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.arguments import add_parts, clone, positive
from bench.fleet.report import Figure, figures_table
from bench.interpreter import python_named
from bench.launch import ROOT
from bench.server import Server
from bench.speed import cores
from bench.web import beside, busy, floor, latency
from bench.web.drive import Driver
from bench.web.rates import Rates, measure_bare, measure_client

if TYPE_CHECKING:
    from argparse import _SubParsersAction

PARTS = ("client", "bare", *Rates.QUESTIONS, "idle", "tiny", "floor", "load")

FOLDER_PREFIX = "tinyimage-bench-"

SECONDS = 3.0
"""Of one run of what is asked as fast as it is answered."""

TURN_SECONDS = 0.5
"""Of a turn beside another clone. The system tells CPU to a hundredth of a second."""

SMALL, TINY, PHOTOGRAPHS = 200, 500, 150
"""Pictures of a repeat."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `web`."""
    parser = commands.add_parser("web", help=__doc__, description=__doc__)
    add_parts(parser, PARTS, repeat=3)
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="workers of the service (one for each core)"
    )
    parser.add_argument(
        "--beside",
        type=clone,
        metavar="DIR",
        help="another clone of the repository, whose .venv-dev is set up: measures the CPU of "
        f"{','.join(Rates.QUESTIONS)} here and there, in --repeat turns",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if something does not do what it should.
    """
    if arguments.beside is not None:
        _run_beside(arguments)
        return
    scale, repeat = arguments.scale, arguments.repeat
    workers = arguments.workers or cores()

    def count(most: int) -> int:
        return max(8, round(most * float(scale)))

    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX) as name, Driver() as driver:
        folder = Path(name)
        seconds = SECONDS * scale
        with Server(folder, workers, SERVER__PROCESSES=1, ENGINE__EFFORT="balanced") as server:
            rates = Rates(server, driver, seconds=seconds, repeat=repeat)
            parts: dict[str, Callable[[], list[Figure]]] = {
                "client": lambda: measure_client(driver, seconds=seconds, repeat=repeat),
                "bare": lambda: measure_bare(driver, seconds=seconds, repeat=repeat),
                **{name: partial(rates.ask, name) for name in Rates.QUESTIONS},
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


def _run_beside(arguments: argparse.Namespace) -> None:
    """Measure and print what answers take here and in another clone."""
    seconds, turns, there = TURN_SECONDS * arguments.scale, arguments.repeat, arguments.beside
    names = [name for name in Rates.QUESTIONS if name in arguments.only]
    with contextlib.ExitStack() as held:
        driver = held.enter_context(Driver())

        def rates(root: Path) -> Rates:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix=FOLDER_PREFIX)))
            server = Server(folder, 1, root, SERVER__PROCESSES=1, ENGINE__EFFORT="balanced")
            return Rates(held.enter_context(server), driver, seconds=seconds, repeat=1)

        figures = beside.measure(rates(ROOT), rates(there), names, turns=turns)
    print(
        f"{cores()} cores, one web process; here {python_named()}, there {there}; "
        f"medians of {turns} turns (least–most)\n"
    )
    print(figures_table(figures))

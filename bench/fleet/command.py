"""The figures of a fleet: a long queue, a large cleanup, many sockets, two workers."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.arguments import add_parts
from bench.fleet import cleanup, idle, scaling, sockets, waiting
from bench.fleet.report import Figure, figures_table
from bench.interpreter import python_named
from bench.speed import cores

if TYPE_CHECKING:
    from argparse import _SubParsersAction

PARTS = ("waiting", "sockets", "scaling", "cleanup", "idle")

JOBS, DONE, REQUESTS = 10_000, 100_000, 100
"""Pictures that wait, pictures that are done, and requests of a repeat."""

SOCKET_REPEATS = 3
"""At most: each takes twenty seconds."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `fleet`."""
    parser = commands.add_parser("fleet", help=__doc__, description=__doc__)
    add_parts(parser, PARTS, repeat=5)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if something does not do what it should.
    """
    scale, repeat = arguments.scale, arguments.repeat

    def size(most: int, least: int = 2) -> int:
        return max(least, round(most * float(scale)))

    parts: dict[str, Callable[[Path], list[Figure]]] = {
        "waiting": partial(
            waiting.measure, jobs=size(JOBS), requests=size(REQUESTS, 5), repeat=repeat
        ),
        "sockets": partial(
            sockets.measure, sockets=size(sockets.SOCKETS), repeat=min(SOCKET_REPEATS, repeat)
        ),
        "scaling": partial(scaling.measure, scale=scale, repeat=repeat),
        "cleanup": partial(cleanup.measure, jobs=size(DONE), scale=scale),
        "idle": partial(idle.measure, scale=scale),
    }
    figures: list[Figure] = []
    for name in arguments.only:
        with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as folder:
            figures += parts[name](Path(folder))
    print(
        f"{cores()} cores; {python_named()}; "
        f"medians of {repeat} repeats, where there are any (least–most)\n"
    )
    print(figures_table(figures))

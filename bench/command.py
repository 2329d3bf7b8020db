"""How many pictures a second the command `tinyimage` gets, against the load driver."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from PIL import Image

from bench.arguments import positive
from bench.cpu import CLIENT, cpu_of_service
from bench.errors import BenchError
from bench.fleet.report import Figure, figures_table, milliseconds, per_second, ratio
from bench.interpreter import python_named
from bench.launch import HOST, ROOT
from bench.load import Load
from bench.pictures import make_photographs
from bench.server import Server
from bench.speed import cores
from imaging.formats import DEFAULT_FORMAT
from imaging.quality import DEFAULT_QUALITY

if TYPE_CHECKING:
    from argparse import _SubParsersAction

PICTURES, JOBS = 300, 8

DISTINCT = 16
"""Pictures made; the others are the same under other MD5s."""

BYTES = 500_000
"""Of a picture."""

FOLDERS = 12
"""That the pictures are in."""

LEAST = 0.95
"""Of the load driver's pictures a second."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `client`."""
    parser = commands.add_parser("client", help=__doc__, description=__doc__)
    parser.add_argument("--count", type=positive, default=PICTURES, metavar="N", help="(300)")
    parser.add_argument("--jobs", type=positive, default=JOBS, metavar="N", help="(8)")
    parser.add_argument("--repeat", type=positive, default=1, metavar="N", help="(1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if a picture does not come back as it should.
    """
    count, jobs = arguments.count, arguments.jobs
    driver, client = Measured(), Measured()
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as name:
        folder = Path(name)
        photographs = make_pictures(folder)
        pictures = [photographs[n % len(photographs)] for n in range(count)]
        numbers = itertools.count(time.time_ns())
        with Server(folder, cores()) as server:
            load = Load(
                HOST, server.port, format=DEFAULT_FORMAT, quality=DEFAULT_QUALITY, concurrency=jobs
            )
            asyncio.run(load.run(pictures[: 2 * jobs]))  # warms every worker

            def by_driver() -> None:
                with driver.watch(server.pid, count, _own_cpu):
                    driver.rates.append(count / asyncio.run(load.run(pictures)).seconds)

            def by_client() -> None:
                with tempfile.TemporaryDirectory(dir=folder) as here:
                    originals = spread(pictures, Path(here) / "in", numbers)
                    with client.watch(server.pid, count, _childrens_cpu):
                        client.rates.append(count / compress(originals, server.port, jobs))

            for number in range(arguments.repeat):
                # In turns, so that neither has the machine always as the other has left it.
                halves = (by_driver, by_client)
                for half in halves if number % 2 == 0 else reversed(halves):
                    half()
        bytes_each = mean(path.stat().st_size for path in photographs)
    print(
        f"{cores()} cores, {jobs} pictures at a time; {python_named()}\n"
        f"{count} pictures of {bytes_each / 1e6:.2f} MB as {DEFAULT_FORMAT}; "
        f"median of {arguments.repeat} repeats (least–most)\n"
    )
    figures = [
        Figure("the load driver", driver.rates, per_second),
        Figure("tinyimage", client.rates, per_second),
        Figure(
            "tinyimage / the load driver",
            [one / other for one, other in zip(client.rates, driver.rates, strict=True)],
            ratio,
            least=LEAST,
        ),
        Figure("CPU of a picture, the load driver", driver.own, milliseconds),
        Figure("CPU of a picture, tinyimage", client.own, milliseconds),
        Figure("CPU of a picture, the service", client.services, milliseconds),
        # If all cores are at work. On a shared machine the service's own CPU varies by a tenth.
        Figure(
            "the ratio by CPU alone",
            [one / other for one, other in zip(driver.whole, client.whole, strict=True)],
            ratio,
        ),
    ]
    print(figures_table(figures))


@dataclass
class Measured:
    """What one way took, a value for each repeat."""

    rates: list[float] = field(default_factory=list)
    """Pictures a second."""
    own: list[float] = field(default_factory=list)
    """CPU seconds a picture of the client."""
    services: list[float] = field(default_factory=list)
    """CPU seconds a picture of the service."""

    @property
    def whole(self) -> list[float]:
        """CPU seconds a picture of both."""
        return [own + service for own, service in zip(self.own, self.services, strict=True)]

    @contextlib.contextmanager
    def watch(self, server: int, count: int, own_cpu: Callable[[], float]) -> Iterator[None]:
        """Take in what is used meanwhile, for so many pictures."""
        own, service = own_cpu(), _service_cpu(server)
        yield
        self.own.append((own_cpu() - own) / count)
        self.services.append((_service_cpu(server) - service) / count)


def _own_cpu() -> float:
    return time.process_time()


def _childrens_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _service_cpu(server: int) -> float:
    used = cpu_of_service(server)
    return (used.total() - used[CLIENT]) / 1000


def make_pictures(folder: Path) -> list[Path]:
    """Photographs of about `BYTES` in the folder."""
    made = []
    for path in make_photographs(folder, DISTINCT):
        share = min(1.0, BYTES / path.stat().st_size) ** 0.5
        with Image.open(path) as image:
            width, height = round(image.width * share), round(image.height * share)
            cut = image.crop((0, 0, width, height))
        cut.save(path, quality=92)
        made.append(path)
    return made


def spread(pictures: Sequence[Path], folder: Path, numbers: Iterator[int]) -> Path:
    """The pictures in folders below this one, each as one that no server has seen."""
    for number, picture in enumerate(pictures):
        path = folder / f"{number % FOLDERS:02}" / f"{number:03}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        # As the load driver does it: no decoder reads so far.
        tail = struct.pack(">I4sQ", 16, b"free", next(numbers))
        path.write_bytes(picture.read_bytes() + tail)
    return folder


def compress(originals: Path, port: int, jobs: int) -> float:
    """The seconds that the command takes for the folder, its start included.

    Raises:
        BenchError: if a picture does not become a file of its own.
    """
    results = originals.with_name("out")
    command = [
        *(sys.executable, "-m", "tinyimage_client", str(originals), "-o", str(results)),
        *("--jobs", str(jobs), "--server", f"http://{HOST}:{port}", "--json"),
    ]
    began = time.perf_counter()
    ended = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT / "client" / "src")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - began
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    if ended.returncode or not all(one["status"] == "written" and one["sent"] for one in told):
        raise BenchError(f"tinyimage: {(ended.stderr.strip() or 'nothing').splitlines()[-1]}")
    files = [path for path in results.rglob("*") if path.is_file()]
    if len(files) != len(told) or not all(path.stat().st_size for path in files):
        raise BenchError(f"{len(told)} pictures have become {len(files)} files")
    return seconds

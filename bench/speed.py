"""How many pictures a second: through upload, status and download, against bare libvips."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from app.core.errors import UnsupportedFormat
from bench.arguments import positive
from bench.bare import BarePool
from bench.cpu import cpu_of_pool, cpu_of_service
from bench.errors import BenchError
from bench.interpreter import python_named
from bench.launch import HOST
from bench.load import Load, TinifyLoad
from bench.peers import KINDS, Peer, parse_peer
from bench.pictures import find_photographs, make_photographs, saved_as
from bench.server import Server
from bench.speed_report import (
    Measured,
    api_table,
    cpu_table,
    disturbance,
    peers_table,
    plain_table,
    progress,
    speed_table,
)
from imaging.formats import Format, parse_format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY, parse_quality
from imaging.target import Target

if TYPE_CHECKING:
    from argparse import _SubParsersAction

COUNTS = {Format.WEBP: 48, Format.JPG: 200, Format.PNG: 8}
"""Pictures a format and repeat: 5 to 10 seconds each way on two cores."""

APIS: dict[str, type[Load]] = {"tinify": TinifyLoad}
"""Further APIs of the service, by name."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `speed`."""
    parser = commands.add_parser("speed", help=__doc__, description=__doc__)
    parser.add_argument(
        "--formats", type=_formats, default="webp,jpg", help="some of webp,jpg,png (%(default)s)"
    )
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="a folder of photographs, in place of our own"
    )
    parser.add_argument(
        "--count",
        type=positive,
        metavar="N",
        help="pictures a format and repeat "
        f"({', '.join(f'{format} {count}' for format, count in COUNTS.items())})",
    )
    parser.add_argument("--concurrency", type=positive, default=8, metavar="N", help="(8)")
    parser.add_argument("--repeat", type=positive, default=3, metavar="N", help="(3)")
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="workers of the service (one for each core)"
    )
    parser.add_argument(
        "--effort", type=Effort, choices=list(Effort), default=Effort.BALANCED, help="(balanced)"
    )
    parser.add_argument(
        "--peer",
        type=parse_peer,
        action="append",
        default=[],
        metavar="NAME=URL",
        help=f"another server that runs, of the kind {' or '.join(KINDS)}; repeatable",
    )
    parser.add_argument(
        "--api",
        choices=list(APIS),
        help="measure another API of the service too, with pictures of the format itself",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if a picture does not come back as it should.
    """
    workers = arguments.workers or cores()
    for peer in arguments.peer:
        peer.check()
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as name:
        folder = Path(name)
        most = max(arguments.count or COUNTS[format] for format in arguments.formats)
        if arguments.pictures:
            photographs = find_photographs(arguments.pictures, most)
        else:
            photographs = make_photographs(folder, most)
        bytes_each = mean(path.stat().st_size for path in photographs)
        results = []
        for format in arguments.formats:
            here = folder / format
            here.mkdir()
            sent = photographs
            if arguments.api and format is not Format.JPG:
                sent = saved_as(format, photographs, here)
            results.append(
                _measure(
                    Measured(format, arguments.effort, arguments.count or COUNTS[format]),
                    sent,
                    here,
                    workers=workers,
                    concurrency=arguments.concurrency,
                    repeat=arguments.repeat,
                    peers=arguments.peer,
                    api=arguments.api,
                )
            )
    print(
        f"{cores()} cores, {workers} workers, {arguments.concurrency} pictures at a time; "
        f"{python_named()}, libvips {results[0].libvips_version}\n"
        f"{len(photographs)} photographs of {results[0].pixels / 1e6:.1f} megapixels and "
        f"{bytes_each / 1e6:.2f} MB; "
        f"median of {arguments.repeat} repeats (least–most)\n"
    )
    print("Against the service's own engine, without the service\n")
    print(speed_table(results))
    print("\nAgainst libvips's plain encoder, as a user's own script would call it\n")
    print(plain_table(results))
    if arguments.api:
        print("\nOver another API, in the format that the pictures have\n")
        print(api_table(results, arguments.api))
    if arguments.peer:
        print("\nBeside other servers\n")
        print(peers_table(results))
    print("\nCPU milliseconds a picture\n")
    print(cpu_table(results))
    if note := disturbance(results):
        print(f"\n{note}")


def _measure(
    measured: Measured,
    photographs: Sequence[Path],
    folder: Path,
    *,
    workers: int,
    concurrency: int,
    repeat: int,
    peers: Sequence[Peer],
    api: str | None,
) -> Measured:
    format, effort = measured.format, measured.effort
    quality = parse_quality(DEFAULT_QUALITY, format)
    target = Target(format, quality, Limits(), effort)
    pictures = [photographs[n % len(photographs)] for n in range(measured.count)]
    results = folder / "bare"
    results.mkdir()
    with (
        BarePool(cores(), pictures[0], target) as pool,
        Server(folder, workers, ENGINE__EFFORT=effort.value, TINIFY__EFFORT=effort.value) as server,
    ):
        load = Load(
            HOST, server.port, format=format, quality=DEFAULT_QUALITY, concurrency=concurrency
        )
        measured.libvips_version = pool.libvips_version
        measured.pixels = mean(pool.pixels(photographs))
        asyncio.run(load.run(pictures[: 2 * concurrency]))  # warms every worker

        def bare() -> None:
            with measured.watch(measured.bare_cpu, lambda: cpu_of_pool(pool.pids)):
                measured.bare.append(pool.run(pictures, results))

        def service() -> None:
            with measured.watch(measured.service_cpu, lambda: cpu_of_service(server.pid)):
                measured.service.append(asyncio.run(load.run(pictures)))

        plain_results = folder / "plain"
        plain_results.mkdir()
        pool.run_plain(pictures[: 2 * concurrency], plain_results)  # warms it

        def plain() -> None:
            measured.plain.append(pool.run_plain(pictures, plain_results))

        loads = {str(peer): peer.load(format, DEFAULT_QUALITY, concurrency) for peer in peers}
        for peer_load in loads.values():
            asyncio.run(peer_load.run(pictures[: 2 * concurrency]))

        def others() -> None:
            for name, peer_load in loads.items():
                run = asyncio.run(peer_load.run(pictures))
                measured.peers.setdefault(name, []).append(run)

        other_api = APIS[api or "tinify"](
            HOST, server.port, format=format, quality=DEFAULT_QUALITY, concurrency=concurrency
        )

        def otherwise() -> None:
            if api:
                measured.other_api.append(asyncio.run(other_api.run(pictures)))

        for number in range(repeat):
            # In turns, so that neither has the machine always as the other has left it.
            halves = (plain, bare, service, otherwise, others)
            for half in halves if number % 2 == 0 else reversed(halves):
                half()
            print(progress(measured, repeat), file=sys.stderr, flush=True)
    _check_sizes(measured, pictures)
    return measured


def _check_sizes(measured: Measured, pictures: Sequence[Path]) -> None:
    """See that the service's results are those of bare libvips.

    Raises:
        BenchError: if one has another size.
    """
    for number, picture in enumerate(pictures):
        expected = {run.sizes[number] for run in measured.bare}
        if len(expected) > 1:  # the encoder itself does not write the same file each time
            continue
        for run in measured.service:
            if (size := run.ways[number].size) not in expected:
                raise BenchError(
                    f"{picture.name} as {measured.format} has {size} bytes through the service "
                    f"and {expected.pop()} by bare libvips"
                )


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _formats(text: str) -> list[Format]:
    try:
        return list(dict.fromkeys(parse_format(name) for name in text.split(",") if name))
    except UnsupportedFormat as error:
        raise argparse.ArgumentTypeError(str(error)) from None

"""A small picture from its upload to its result, on a server that does nothing else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from statistics import median

from bench.client import encode_form
from bench.fleet.report import Figure, milliseconds, ratio
from bench.table import percentile
from bench.web.pictures import small_pictures
from bench.web.talk import HttpTalk, SocketTalk

SIDE = 32
BY_SOCKET, BY_HTTP = 0.008, 0.010
"""Seconds of the median at most."""

MOST_SPREAD = 2.0
"""p99 over p50 at most."""


def measure(port: int, *, count: int, repeat: int) -> list[Figure]:
    """The figures.

    Args:
        count: pictures of a repeat, for each way.
    """
    pictures = small_pictures(SIDE)
    with HttpTalk(port) as http, SocketTalk(port) as socket:

        def by_http(picture: bytes) -> float:
            return http.convert(encode_form("a.png", picture, {}))

        ways: list[tuple[str, Callable[[bytes], float], float]] = [
            ("by socket", socket.convert, BY_SOCKET),
            ("by HTTP", by_http, BY_HTTP),
        ]
        seconds: dict[str, list[list[float]]] = {what: [] for what, _, _ in ways}
        for number in range(repeat + 1):
            for what, convert, _ in ways if number % 2 else reversed(ways):
                taken = [convert(picture) for picture in islice(pictures, count)]
                if number:  # the first warms it
                    seconds[what].append(taken)
    figures = []
    for what, _, most in ways:
        runs = seconds[what]
        slowest = [percentile(run, 99) for run in runs]
        title = f"{SIDE} × {SIDE} PNG to done, {what}"
        p50 = [median(run) for run in runs]
        spread = [a / b for a, b in zip(slowest, p50, strict=True)]
        note = f"p99 {milliseconds(median(slowest))}"
        figures += [
            Figure(f"{title}, p50", p50, milliseconds, most=most),
            Figure(f"{title}, p99 / p50", spread, ratio, most=MOST_SPREAD, note=note),
        ]
    return figures

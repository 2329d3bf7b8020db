"""How near SSIMULACRA2 as the engine computes it comes to the reference package."""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import pstdev
from typing import TYPE_CHECKING

from bench.arguments import positive
from bench.engine import use_one_thread
from bench.scale.pictures import pictures_in, prepared
from bench.table import format_table

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    import pyvips

BELOW = (450, 520, 600, 10_000)
"""Pixels of the width that the rows of the table end at."""

LEAST, MOST = 50, 95
"""What the package says of the encodings that count."""

NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What each says of one encoding."""

    width: int
    by_package: float
    by_method: dict[str, float]


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `looks`."""
    parser = commands.add_parser("looks", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, required=True, metavar="DIR", help="as `corpus` makes them"
    )
    parser.add_argument(
        "--count", type=positive, metavar="N", help="the first so many, in turns from each source"
    )
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if there are no pictures.
    """
    use_one_thread()
    pictures = pictures_in(arguments.pictures)[: arguments.count]
    seen = [each for _, image in prepared(pictures) for each in _seen(image)]
    print(f"{len(pictures)} pictures, encodings of {LEAST} to {MOST} by the package\n")
    print(looks_table(seen))


def looks_table(seen: Sequence[Seen]) -> str:
    """Of each method the share that is near the package, the standard deviation of what is left,
    and the farthest, by the width of the pictures."""
    methods = list(seen[0].by_method) if seen else []
    rows: list[tuple[str, ...]] = [
        ("", "", *(cell for method in methods for cell in (method, "", ""))),
        ("width", "n", *(f"within {NEAR}", "sd", "most") * len(methods)),
    ]
    for low, high in pairwise((0, *BELOW)):
        these = [each for each in seen if low <= each.width < high]
        if these:
            rows.append((f"{low} to {high - 1}", *_row(these, methods)))
    return format_table([*rows, ("all", *_row(seen, methods))] if seen else rows)


def _row(seen: Sequence[Seen], methods: Sequence[str]) -> Iterator[str]:
    yield str(len(seen))
    for method in methods:
        yield from _cells(seen, method)


def _cells(seen: Sequence[Seen], method: str) -> tuple[str, ...]:
    apart = [each.by_method[method] - each.by_package for each in seen]
    near = sum(abs(each) <= NEAR for each in apart) / len(apart)
    return f"{near:.2f}", f"{pstdev(apart):.2f}", f"{max(apart, key=abs):+.2f}"


def _seen(image: pyvips.Image) -> Iterator[Seen]:
    """What is made of each encoding of a picture that counts."""
    from ssimulacra2 import compute_ssimulacra2

    from imaging import look
    from imaging.look import by_pillow, by_vszip

    methods: dict[str, Callable[[pyvips.Image], float]] = {}
    if by_vszip.is_installed():
        methods["vszip"] = by_vszip.Reference(image).score
    methods["pillow"] = by_pillow.Reference(image).score
    methods["the engine"] = look.reference(image).score
    original = _png(image)
    for other in _encodings(image):
        by_package = float(compute_ssimulacra2(io.BytesIO(original), io.BytesIO(_png(other))))
        if LEAST <= by_package <= MOST:
            scores = {name: score(other) for name, score in methods.items()}
            yield Seen(image.width, by_package, scores)


def _encodings(image: pyvips.Image) -> Iterator[pyvips.Image]:
    from bench.look import pixels

    for quality in (45, 75, 90):
        yield pixels(image.jpegsave_buffer(Q=quality))
    yield pixels(image.webpsave_buffer(Q=60))
    yield pixels(image.heifsave_buffer(compression="av1", Q=60, effort=2, bitdepth=8))


def _png(image: pyvips.Image) -> bytes:
    return bytes(image.pngsave_buffer(compression=0))

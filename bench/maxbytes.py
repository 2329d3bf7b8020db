"""How much of `max_bytes` results have, and what the search takes: two hundred photographs and
graphics, each in one format."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from typing import TYPE_CHECKING

from PIL import Image

from bench.arguments import add_formats, positive
from bench.engine import converted, use_one_thread
from bench.graphics import NAMES, make_graphics
from bench.pictures import PHOTOGRAPHS, shipped
from bench.table import format_table
from imaging.formats import Format
from imaging.limits import Limits
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY

if TYPE_CHECKING:
    from argparse import _SubParsersAction

FORMATS = (Format.JPG, Format.WEBP, Format.PNG, Format.AVIF)
"""GIF is left out: it has no quality."""

SHARES = (0.85, 0.6, 0.4, 0.25)
"""Each limit is one of these shares of what the picture has without it."""

COUNT = 100
"""Pictures of each kind."""

SIDES = (160, 480)
"""Pixels of a photograph's sides, at least and at most."""

TO_REACH = 0.93
"""The median of the results' shares of their limits, at least. Above its limit is to be none."""

_SEED = 20261127


@dataclass(frozen=True, slots=True)
class _Try:
    kind: str
    format: Format
    share: float | None
    """Of the limit; None if the picture does not get so small."""
    smaller: bool
    """Whether it has fewer pixels than without a limit."""
    times: float
    """CPU time over that of the conversion without a limit."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `maxbytes`."""
    parser = commands.add_parser("maxbytes", help=__doc__, description=__doc__)
    add_formats(parser, FORMATS)
    parser.add_argument(
        "--count", type=positive, default=COUNT, metavar="N", help=f"of each kind ({COUNT})"
    )
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    use_one_thread()
    formats = [Format(name) for name in arguments.formats]
    tries: list[_Try] = []
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as folder:
        graphics = make_graphics(Path(folder), NAMES[:: -(-COUNT // arguments.count)])
        sets = {
            "photographs": list(_photographs(Path(folder), arguments.count)),
            "graphics": graphics[: arguments.count],
        }
        for kind, pictures in sets.items():
            for number, picture in enumerate(pictures):
                format = formats[number % len(formats)]
                share = SHARES[number // len(formats) % len(SHARES)]
                tries.append(_measure(kind, picture.read_bytes(), format, share))
    print(_table(tries, formats))


def _photographs(folder: Path, count: int) -> Iterator[Path]:
    """Pieces of the photographs in scikit-image's wheel, in their own resolution, the same ones
    each time; every second as a JPEG."""
    source = random.Random(_SEED)
    sources = shipped(PHOTOGRAPHS)
    for number in range(count):
        with Image.open(sources[number % len(sources)]) as opened:
            image = opened.convert("RGB")
        width, height = (min(side, source.randint(*SIDES)) for side in image.size)
        left = source.randint(0, image.width - width)
        top = source.randint(0, image.height - height)
        path = folder / f"photograph-{number:03}.{('png', 'jpg')[number % 2]}"
        image.crop((left, top, left + width, top + height)).save(path, quality=92)
        yield path


def _measure(kind: str, data: bytes, format: Format, share: float) -> _Try:
    from imaging.convert import convert
    from imaging.errors import PictureError
    from imaging.options import Options
    from imaging.target import Target

    quality = DEFAULT_QUALITY if format.has_quality else NO_QUALITY
    plain, took, measures = converted(data, Target(format, quality, Limits()))
    told = [measures]
    limit = max(1, int(share * len(plain)))
    options = Options(max_bytes=limit)
    began = time.process_time()
    result: bytes | None = None
    with suppress(PictureError):
        result = convert(data, Target(format, quality, Limits(), options=options), told.append)
    times = (time.process_time() - began) / took
    reached = None if result is None else len(result) / limit
    return _Try(kind, format, reached, told[-1].result != measures.result, times)


def _table(tries: Sequence[_Try], formats: Sequence[Format]) -> str:
    rows: list[tuple[str, ...]] = [
        ("", "pictures", "over", "not so small", "fewer pixels", "of the limit", "CPU ×")
    ]
    for kind in dict.fromkeys(each.kind for each in tries):
        for format in formats:
            part = [each for each in tries if (each.kind, each.format) == (kind, format)]
            if part:
                rows.append(_row(f"{kind} {format}", part))
    rows.append(_row("all", tries))
    return (
        f"{format_table(rows)}\n\n"
        f"To reach: none over, and a median of {TO_REACH} of the limit. CPU time is over that of "
        "the same conversion without a limit, as the geometric mean."
    )


def _row(name: str, tries: Sequence[_Try]) -> tuple[str, ...]:
    shares = [each.share for each in tries if each.share is not None]
    return (
        *(name, f"{len(tries)}", f"{sum(share > 1 for share in shares)}"),
        *(f"{len(tries) - len(shares)}", f"{sum(each.smaller for each in tries)}"),
        f"{median(shares):.3f}" if shares else "",
        f"{geometric_mean(each.times for each in tries):.1f}",
    )

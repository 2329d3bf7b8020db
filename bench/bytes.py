"""How many bytes, at which look and in which time: each format and effort against the older
server's settings."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.bytes_report import REFERENCE, Curve, Point, Sheet, bytes_table
from bench.errors import BenchError
from bench.pictures import GRAPHICS, PHOTOGRAPHS, find_photographs, shipped
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY

if TYPE_CHECKING:
    from argparse import _SubParsersAction

FORMATS = (Format.JPG, Format.WEBP, Format.PNG, Format.AVIF)
"""GIF is left out: nothing the older server wrote can be held against it."""

TIMINGS = 3


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `bytes`."""
    parser = commands.add_parser("bytes", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="a folder of pictures, in place of our own"
    )
    parser.add_argument("--count", type=int, default=100, metavar="N", help="at most so many (100)")
    parser.add_argument(
        "--formats", default=",".join(FORMATS), help="some of %(default)s", metavar="LIST"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if a picture cannot be converted.
    """
    # The engine as it runs in a worker: one thread.
    os.environ |= {"VIPS_CONCURRENCY": "1", "RAYON_NUM_THREADS": "1"}
    formats = [format for format in FORMATS if format in arguments.formats.split(",")]
    if not formats:
        raise BenchError(f"choose some of {', '.join(FORMATS)}")
    if arguments.pictures:
        sets = {"pictures": find_photographs(arguments.pictures, arguments.count)}
    else:
        sets = {"photographs": shipped(PHOTOGRAPHS), "graphics": shipped(GRAPHICS)}
    for name, pictures in sets.items():
        sheet = Sheet()
        for picture in pictures[: arguments.count]:
            _measure(sheet, picture, formats)
        print(f"{len(pictures)} {name}\n\n{bytes_table(sheet, formats)}\n")


def _measure(sheet: Sheet, picture: Path, formats: Sequence[Format]) -> None:
    import pyvips

    from bench import older
    from bench.look import Reference
    from imaging.normalise import flatten, normalise
    from imaging.read.decode import decode

    pyvips.cache_set_max(0)
    upright = normalise(decode(picture.read_bytes(), Limits()).image).copy_memory()
    # A PNG, so that no JPEG's own compression makes it unlike its pixels, and no result is held
    # against an original that is smaller.
    data = bytes(upright.pngsave_buffer(compression=1, keep="none"))
    flat = flatten(upright)
    looks = {False: Reference(upright), True: Reference(flat)}
    for format in {REFERENCE.get(format, format) for format in formats}:
        image = flat if format is Format.JPG else upright
        points: dict[int, Point] = {}
        for quality in older.QUALITIES[format]:
            began = time.process_time() + _children()
            encoded = older.encode(image, format, quality)
            took = time.process_time() + _children() - began
            if encoded is not None:
                look = looks[format is Format.JPG].score(encoded)
                points[quality] = Point(len(encoded), look, took * 1000)
        sheet.older[format, picture.name] = Curve(points, older.OWN[format])
    for format in formats:
        reference = looks[format is Format.JPG or not upright.hasalpha()]
        for effort in Effort:
            result, seconds = _convert(data, format, effort)
            sheet.ours[format, effort, picture.name] = Point(
                len(result), reference.score(result), seconds * 1000
            )


def _convert(data: bytes, format: Format, effort: Effort) -> tuple[bytes, float]:
    """The result, and the CPU seconds of its whole conversion."""
    from imaging.convert import convert
    from imaging.target import Target

    quality = DEFAULT_QUALITY if format.has_quality else NO_QUALITY
    target = Target(format, quality, Limits(), effort)
    seconds = []
    for _ in range(TIMINGS):
        began = time.process_time()
        result = convert(data, target)
        seconds.append(time.process_time() - began)
        if seconds[-1] > 1:
            break
    return result, median(seconds)


def _children() -> float:
    """CPU seconds of the processes that have run and ended."""
    used = os.times()
    return used.children_user + used.children_system

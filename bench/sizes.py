"""How many bytes, at which look and in which time: each format and effort against the older
server's settings."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from math import nan
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.drawn import Drawn, drawn_table
from bench.engine import use_one_thread
from bench.errors import BenchError
from bench.graphics import NAMES, make_graphics
from bench.pictures import GRAPHICS, PHOTOGRAPHS, find_photographs, shipped
from bench.sizes_report import REFERENCE, Curve, Point, Sheet, breaches, bytes_table
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY

if TYPE_CHECKING:
    from argparse import _SubParsersAction

FORMATS = (Format.JPG, Format.WEBP, Format.PNG, Format.AVIF)
"""GIF is left out: nothing the older server wrote can be held against it."""

PHOTOS, DRAWINGS, HUNDRED = "photographs", "graphics", "drawn"
SETS = (PHOTOS, DRAWINGS, HUNDRED)
"""The photographs and graphics of scikit-image's wheel, and those that `bench.graphics` draws."""

TIMINGS = 3


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `bytes`."""
    parser = commands.add_parser("bytes", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="a folder of pictures, in place of our own"
    )
    parser.add_argument(
        "--sets", default=",".join(SETS), help="of our own, some of %(default)s", metavar="LIST"
    )
    parser.add_argument("--count", type=int, default=100, metavar="N", help="at most so many (100)")
    parser.add_argument(
        "--formats", default=",".join(FORMATS), help="some of %(default)s", metavar="LIST"
    )
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if a picture cannot be converted.
    """
    use_one_thread()
    formats = [format for format in FORMATS if format in arguments.formats.split(",")]
    if not formats:
        raise BenchError(f"choose from {', '.join(FORMATS)}")
    if arguments.pictures:
        _compare("pictures", find_photographs(arguments.pictures, arguments.count), formats)
        return
    sets = [name for name in SETS if name in arguments.sets.split(",")]
    if not sets:
        raise BenchError(f"choose from {', '.join(SETS)}")
    if PHOTOS in sets:
        pictures = shipped(PHOTOGRAPHS)[: arguments.count]
        _compare(PHOTOS, pictures, formats)
        if Format.WEBP in formats:
            print(f"{_question(pictures)}\n")
    if DRAWINGS in sets:
        _compare(DRAWINGS, shipped(GRAPHICS)[: arguments.count], formats)
    if HUNDRED in sets:
        _draw(arguments.count, [format for format in formats if format is not Format.AVIF])


def _compare(name: str, pictures: Sequence[Path], formats: Sequence[Format]) -> None:
    """Hold what becomes of the pictures against the older server's settings, and print it."""
    sheet = Sheet()
    for picture in pictures:
        _measure(sheet, picture, formats)
    print(f"{len(pictures)} {name}\n\n{bytes_table(sheet, formats, name)}\n")
    print(f"Larger than the effort below it (to reach: 0): {breaches(sheet, formats)}\n")


def _draw(count: int, formats: Sequence[Format]) -> None:
    """Hold what becomes of our own graphics against the files they come in, and print it."""
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as folder:
        # Evenly from all kinds, if fewer are wanted.
        pictures = make_graphics(Path(folder), NAMES[:: -(-len(NAMES) // count)])
        graphics = [_drawn(picture, formats) for picture in pictures]
    print(f"{len(graphics)} graphics that are drawn\n\n{drawn_table(graphics, formats)}\n")


def _drawn(picture: Path, formats: Sequence[Format]) -> Drawn:
    from bench import older
    from bench.look import Reference
    from imaging.decode import decode
    from imaging.steps.colour import to_srgb

    data = picture.read_bytes()
    upright = to_srgb(decode(data, Limits()).image.autorot()).copy_memory()
    # The look of the default alone: to measure it takes longer than to convert the picture.
    reference = Reference(upright) if Format.WEBP in formats else None
    ours = {}
    for format in formats:
        for effort in Effort:
            result, seconds = _convert(data, format, effort, 1)
            look = nan
            if reference and (format, effort) == (Format.WEBP, Effort.BALANCED):
                look = reference.score(result)
            ours[format, effort] = Point(len(result), look, seconds * 1000)
    lossy = older.encode(upright, Format.WEBP, older.OWN[Format.WEBP]) if reference else None
    return Drawn(len(data), reference.score(lossy) if reference and lossy else nan, ours)


def _question(pictures: Sequence[Path]) -> str:
    """What a WebP of a photograph costs more, as it might have been a graphic."""
    from imaging.decode import decode
    from imaging.steps.colour import to_srgb
    from imaging.write.graphics import ALL_EFFORTS_PIXELS, efforts_tried, kind_of

    asked = whole = 0.0
    for picture in pictures:
        data = picture.read_bytes()
        image = to_srgb(decode(data, Limits()).image.autorot()).copy_memory()
        began = time.process_time()
        for _ in range(TIMINGS):
            kind_of(image, tried=ALL_EFFORTS_PIXELS)
            efforts_tried(image, Effort.BALANCED)
        asked += (time.process_time() - began) / TIMINGS
        whole += _convert(data, Format.WEBP, Effort.BALANCED)[1]
    return (
        "To ask whether it is a graphic takes "
        f"{asked / (whole - asked):.1%} of a photograph's time as webp (to reach: 3 %)."
    )


def _measure(sheet: Sheet, picture: Path, formats: Sequence[Format]) -> None:
    import pyvips

    from bench import older
    from bench.look import Reference
    from imaging.decode import decode
    from imaging.steps.background import flatten
    from imaging.steps.colour import to_srgb

    pyvips.cache_set_max(0)
    upright = to_srgb(decode(picture.read_bytes(), Limits()).image.autorot()).copy_memory()
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


def _convert(
    data: bytes, format: Format, effort: Effort, timings: int = TIMINGS
) -> tuple[bytes, float]:
    """The result, and the CPU seconds of its whole conversion."""
    from imaging.convert import convert
    from imaging.target import Target

    quality = DEFAULT_QUALITY if format.has_quality else NO_QUALITY
    target = Target(format, quality, Limits(), effort)
    seconds = []
    for _ in range(timings):
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

"""How often `format=auto` chooses the smallest of the whole files, and the CPU time that takes."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import geometric_mean, median
from typing import TYPE_CHECKING

from bench.arguments import add_formats, positive
from bench.engine import converted, use_one_thread
from bench.graphics import COUNTS, make_graphics
from bench.pictures import GRAPHICS, PHOTOGRAPHS, find_photographs, shipped
from bench.table import format_table
from imaging.formats import AUTO_FORMATS, Format
from imaging.limits import Limits
from imaging.options import DEFAULTS, Auto, Effort, Options
from imaging.quality import DEFAULT_QUALITY, NO_QUALITY
from imaging.target import Target

if TYPE_CHECKING:
    from argparse import _SubParsersAction

RIGHT, CPU = 0.95, 1.5
"""The share of the pictures whose choice is the smallest, at least; and the CPU time over that of a
conversion to the same format alone, at most."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a picture."""

    name: str
    sizes: dict[Format, int]
    """Bytes of the whole in each format alone."""
    chosen: Format
    bytes: int
    cpu: float
    """Seconds over those of the chosen format alone."""

    @property
    def smallest(self) -> Format:
        """The format that it should have been."""
        return min(self.sizes, key=self.sizes.__getitem__)

    @property
    def is_right(self) -> bool:
        """Whether no other format gives fewer bytes."""
        return self.bytes <= self.sizes[self.smallest]


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `auto`."""
    parser = commands.add_parser("auto", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="a folder of pictures, in place of those in scikit-image's wheel and of graphics",
    )
    parser.add_argument(
        "--count", type=positive, default=100, metavar="N", help="at most so many (100)"
    )
    add_formats(parser, tuple(Format), AUTO_FORMATS)
    parser.add_argument(
        "--repeat",
        type=positive,
        default=3,
        metavar="N",
        help="each is timed so often, and the least counts (3)",
    )
    parser.add_argument("--look", type=Auto, help=f"q, one of {', '.join(Auto)}, in place of 80")
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if there are no pictures.
    """
    use_one_thread()
    wanted = set(arguments.formats)
    formats = tuple(format for format in Format if format in wanted)
    options = Options(q=arguments.look) if arguments.look else DEFAULTS
    with tempfile.TemporaryDirectory(prefix="tinyimage-bench-") as name:
        files = list(_files(arguments.pictures, Path(name)))[: arguments.count]
        choices = [_measured(file, formats, options, arguments.repeat) for file in files]
    print(_table(choices, formats))


def _files(folder: Path | None, made: Path) -> Iterator[Path]:
    """The pictures; graphics that are made are put into `made`."""
    if folder is not None:
        yield from find_photographs(folder, 2**31)
        return
    yield from shipped(PHOTOGRAPHS + GRAPHICS)
    graphics = make_graphics(made)
    for kind in COUNTS:
        yield from [path for path in graphics if path.name.startswith(kind)][7:8]
    yield next(path for path in graphics if path.name == "screenshot-14.png")


def _measured(file: Path, formats: tuple[Format, ...], options: Options, repeat: int) -> Choice:
    import pyvips

    pyvips.cache_set_max(0)
    data = file.read_bytes()
    quality = NO_QUALITY if options.q else DEFAULT_QUALITY
    asked = Target(
        formats[0], quality, Limits(2**31), Effort.BALANCED, replace(options, formats=formats)
    )
    sizes, alone = {}, {}
    for target in _holding(data, asked):
        result, alone[target.format], _ = converted(data, target, repeat)
        sizes[target.format] = len(result)
    result, seconds, measures = converted(data, asked, repeat)
    format = Format(measures.format or formats[0])
    return Choice(file.stem, sizes, format, len(result), seconds / alone[format])


def _holding(data: bytes, asked: Target) -> list[Target]:
    """What each format is to become that holds the picture: of a transparent one no JPEG, whose
    bytes are those of another picture."""
    from imaging.decode import decode
    from imaging.results import several

    source = decode(data, asked.limits, frames=several.frames(asked))
    drawn = replace(source, image=source.image.copy_memory())
    return several.possible(drawn, several.targets(source, asked))


def _table(choices: Sequence[Choice], formats: Sequence[Format]) -> str:
    rows: list[tuple[str, ...]] = [("", *formats, "chosen", "more bytes", "CPU")]
    for each in choices:
        more = each.bytes / each.sizes[each.smallest] - 1
        rows.append(
            (
                each.name[:24],
                *(str(each.sizes.get(format, "")) for format in formats),
                each.chosen,
                "" if each.is_right else f"{more:.1%}",
                f"{each.cpu:.2f}",
            )
        )
    right = sum(each.is_right for each in choices)
    ours = sum(each.bytes for each in choices)
    best = sum(each.sizes[each.smallest] for each in choices)
    times = [each.cpu for each in choices]
    reached = sum(time <= CPU for time in times)
    return (
        f"{format_table(rows)}\n\n"
        f"The smallest: {right} of {len(choices)} (to reach: {RIGHT:.2f}); all bytes over the "
        f"least: {ours / best:.4f}.\n"
        f"CPU over the chosen format alone: {geometric_mean(times):.2f} on average, "
        f"{median(times):.2f} in the middle, {max(times):.2f} at the most (to reach: {CPU}); "
        f"{reached} of {len(choices)} are within."
    )

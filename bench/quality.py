"""How near to its target `q=auto` comes, and what that takes, beside a fixed number."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.arguments import add_formats, positive
from bench.engine import converted, use_one_thread
from bench.pictures import GRAPHICS, PHOTOGRAPHS, find_photographs, shipped
from bench.quality_report import Measured, quality_table
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Auto, Effort, Options
from imaging.target import Target

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    import pyvips

FORMATS = tuple(format for format in Format if format.takes_auto)

BY, METHODS = ("package", "vszip"), ("vszip", "pillow")
"""The values of `bench.look.By` and `imaging.look.Method`, which load libvips."""

SIDE = 800
"""Pixels of the longer side of a picture as it is measured: of a larger one every third is cut, and
the others are made smaller."""

CHECKED = 5
"""Where vszip looks at the results, the package looks at one of so many too."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `quality`."""
    parser = commands.add_parser("quality", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="a folder of pictures, in place of those in scikit-image's wheel",
    )
    parser.add_argument(
        "--count", type=positive, default=100, metavar="N", help="at most so many (100)"
    )
    parser.add_argument(
        "--first", type=int, default=0, metavar="N", help="leave out so many before them"
    )
    add_formats(parser, FORMATS)
    parser.add_argument(
        "--repeat",
        type=positive,
        default=1,
        metavar="N",
        help="each is timed so often, and the least counts (1)",
    )
    parser.add_argument("--look", type=Auto, default=Auto.AUTO, help="one of " + ", ".join(Auto))
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--own-size", action="store_true", help="do not make pictures smaller")
    size.add_argument(
        "--own-files", action="store_true", help="hand in the files as they are, in place of PNGs"
    )
    parser.add_argument(
        "--looks-by",
        choices=BY,
        default=BY[0],
        help="what looks at the results: the reference package, 1.7 s a megapixel, or vszip, "
        f"with the package beside it at every {CHECKED}th ({BY[0]})",
    )
    parser.add_argument(
        "--engine-by", choices=METHODS, help="what the engine looks by (the fastest installed)"
    )
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if a picture cannot be converted.
    """
    use_one_thread()
    if arguments.pictures:
        files = find_photographs(arguments.pictures, arguments.first + arguments.count)
    else:
        files = shipped(PHOTOGRAPHS + GRAPHICS)
    files = files[arguments.first :][: arguments.count]
    from bench.look import By
    from imaging import look

    if arguments.engine_by:
        look.choose(look.Method(arguments.engine_by))
    by = {By.PACKAGE: "the reference package", By.VSZIP: f"vszip (of every {CHECKED}th by both)"}
    print(
        f"{len(files)} pictures, SSIMULACRA2 by {look.method()} in the engine, "
        f"of the results by {by[By(arguments.looks_by)]}\n"
    )
    for format in map(Format, arguments.formats):
        measured = [_measure(file, number, format, arguments) for number, file in enumerate(files)]
        rows = [one for one in measured if one is not None]
        print(f"{quality_table(format, arguments.look, rows, len(files))}\n", flush=True)


def _measure(
    file: Path, number: int, format: Format, arguments: argparse.Namespace
) -> Measured | None:
    """What becomes of a picture; None where nothing is sought: it is too small, or the result is
    not lossy."""
    import pyvips

    from bench.look import By, pixels, scorer
    from imaging import look
    from imaging.results.estimate import UNTOUCHED

    pyvips.cache_set_max(0)
    own_files: bool = arguments.own_files
    image = _picture(file, number, own_size=own_files or arguments.own_size)
    data = file.read_bytes() if own_files else image.pngsave_buffer(compression=1, keep="none")
    target = Target(format, 0, Limits(), options=Options(q=arguments.look))
    result, seconds, measures = converted(data, target, arguments.repeat)
    if measures.chosen is None:
        return None
    by = By(arguments.looks_by)
    reference = scorer(image, by)
    seen = reference.score(result)
    if seen >= UNTOUCHED:
        return None
    _, seconds_of_80, _ = converted(data, _fixed(format, 80), arguments.repeat)

    of_package = by is By.VSZIP and number % CHECKED == 0
    by_package = scorer(image, By.PACKAGE).score(result) if of_package else None

    @cache
    def written(number: int) -> bytes:
        return converted(data, _fixed(format, number))[0]

    def fixed(number: int) -> tuple[int, float]:
        return len(written(number)), reference.score(written(number))

    by_engine = None if by is By.VSZIP else look.reference(image)

    def quickly(number: int) -> float:
        if by_engine is None:
            return reference.score(written(number))
        return by_engine.score(pixels(written(number)))

    cpu = seconds / seconds_of_80
    return Measured(len(result), seen, measures.chosen.quality, cpu, fixed, quickly, by_package)


def _fixed(format: Format, number: int) -> Target:
    return Target(format, number, Limits(), Effort.BALANCED)


def _picture(file: Path, number: int, *, own_size: bool) -> pyvips.Image:
    """The picture, upright, sRGB of 8 bit, without alpha, in memory."""
    from imaging.decode import decode
    from imaging.steps.background import flatten
    from imaging.steps.colour import to_srgb

    image = flatten(to_srgb(decode(file.read_bytes(), Limits(2**31)).image.autorot()), None)
    if not own_size and max(image.width, image.height) > SIDE:
        width, height = min(SIDE, image.width), min(600, image.height)
        if number % 3 == 2:
            left, top = (image.width - width) // 2, (image.height - height) // 2
            image = image.copy_memory().crop(left, top, width, height)
        else:
            image = image.copy_memory().thumbnail_image(SIDE, height=SIDE)
    return image.colourspace("srgb").cast("uchar").copy_memory()

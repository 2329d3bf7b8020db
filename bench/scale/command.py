"""How near to libjpeg-turbo's look each format comes at the same number, and nearer tables."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.arguments import add_formats, add_only, positive, some_of
from bench.engine import use_one_thread
from bench.scale.measured import EFFORTS, Looks, kept, measure
from bench.scale.pictures import Group, pictures_in, prepared, with_drawn
from bench.scale.report import engine_table, way_table
from imaging.formats import Format

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from bench.scale.ways import Way

ENGINE, TABLES = "engine", "tables"
PARTS = (ENGINE, TABLES)
"""What the engine writes at each quality, and the tables that fit."""


def register(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand `scale`."""
    parser = commands.add_parser("scale", help=__doc__, description=__doc__)
    parser.add_argument(
        "--pictures",
        type=Path,
        required=True,
        metavar="DIR",
        help="has the folders photographs and graphics, in each a folder for each source",
    )
    add_formats(parser, tuple(EFFORTS))
    add_only(parser, PARTS)
    parser.add_argument(
        "--groups",
        type=some_of(tuple(Group)),
        default=tuple(Group),
        metavar="LIST",
        help=f"some of {','.join(Group)}",
    )
    parser.add_argument(
        "--count", type=positive, metavar="N", help="the first so many, in turns from each source"
    )
    parser.add_argument(
        "--kept",
        type=Path,
        metavar="FILE",
        help="what was measured is added to it; its pictures are not measured again",
    )
    parser.set_defaults(run=run, in_process=True)


def run(arguments: argparse.Namespace) -> None:
    """Measure and print.

    Raises:
        BenchError: if there are no pictures.
    """
    use_one_thread()
    import pyvips

    from bench.scale.ways import WAYS
    from imaging import look

    pyvips.cache_set_max(0)
    formats = [Format(name) for name in arguments.formats]
    ways = [way for way in WAYS if way.format in formats and TABLES in arguments.only]
    measured = _measured(arguments, ways, formats if ENGINE in arguments.only else ())
    print(f"{len(measured)} pictures, SSIMULACRA2 by {look.method()}\n")
    if ENGINE in arguments.only:
        for format in formats:
            for effort in EFFORTS[format]:
                print(f"{engine_table(f'{format}, {effort}', measured)}\n")
    for way in ways:
        print(f"{way_table(way, measured)}\n")


def _measured(
    arguments: argparse.Namespace, ways: Sequence[Way], formats: Sequence[Format]
) -> list[Looks]:
    known = kept(arguments.kept)
    pictures_in(arguments.pictures)  # without any of its own, nothing is drawn
    with with_drawn(arguments.pictures) as folder:
        chosen = [one for one in pictures_in(Path(folder)) if one.group in arguments.groups]
        pictures = chosen[: arguments.count]
        todo = [picture for picture in pictures if picture.name not in known]
        for picture, image in prepared(todo):
            looks = known[picture.name] = measure(picture, image, ways, formats)
            if arguments.kept:
                with arguments.kept.open("a") as file:
                    file.write(f"{looks.to_json()}\n")
        held_out = {picture.name: picture.is_held_out for picture in pictures}
    # Which are held out is told by the folder: others may have been in it before.
    return [
        replace(looks, held_out=held_out[name]) for name, looks in known.items() if name in held_out
    ]

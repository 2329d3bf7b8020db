"""What argparse takes, for several measurements."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path


def some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    """A type for argparse: some of the names, with commas between them."""

    def parse(text: str) -> list[str]:
        given = list(dict.fromkeys(text.split(",")))
        if unknown := [name for name in given if name not in names]:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(names)}")
        return given

    return parse


def add_formats(
    parser: argparse.ArgumentParser, names: Sequence[str], usual: Sequence[str] | None = None
) -> None:
    """Add `--formats`, some of the names.

    Args:
        usual: the default, if it is not all of them.
    """
    told = "" if usual is None else f" ({','.join(usual)})"
    parser.add_argument(
        "--formats",
        type=some_of(names),
        default=names if usual is None else usual,
        metavar="LIST",
        help=f"some of {','.join(names)}{told}",
    )


def add_only(parser: argparse.ArgumentParser, parts: Sequence[str]) -> None:
    """Add `--only`, some of the parts."""
    parser.add_argument(
        "--only",
        type=some_of(parts),
        default=parts,
        metavar="PARTS",
        help=f"some of {','.join(parts)}",
    )


def add_parts(parser: argparse.ArgumentParser, parts: Sequence[str], *, repeat: int) -> None:
    """Add `--only`, `--scale` and `--repeat` of a measurement that has parts.

    Args:
        repeat: the default of `--repeat`.
    """
    add_only(parser, parts)
    parser.add_argument(
        "--scale", type=share, default=1.0, metavar="SHARE", help="of all sizes: 0.1 is a tenth"
    )
    parser.add_argument("--repeat", type=positive, default=repeat, metavar="N", help=f"({repeat})")


def positive(text: str) -> int:
    """A number for argparse that is 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("should be 1 or more")
    return int(text)


def share(text: str) -> float:
    """A number for argparse that is more than 0 and 1 at most."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError("should be more than 0 and 1 at most")
    return value


def clone(text: str) -> Path:
    """A clone of this repository for argparse, whose environment is set up."""
    root = Path(text).resolve()
    if not (root / ".venv-dev/bin/python").exists():
        raise argparse.ArgumentTypeError(f"{text} has no .venv-dev; script/check sets it up")
    return root

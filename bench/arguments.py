"""What argparse takes, for several measurements."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence


def some_of(names: Sequence[str]) -> Callable[[str], list[str]]:
    """A type for argparse: some of the names, with commas between them."""

    def parse(text: str) -> list[str]:
        given = list(dict.fromkeys(text.split(",")))
        if unknown := [name for name in given if name not in names]:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(names)}")
        return given

    return parse


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

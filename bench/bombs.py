"""The cost of each bomb: time, and the most memory of its decoder."""

from __future__ import annotations

import argparse
import time
from typing import Any

from bench.hostile import BOMBS, ODDITIES, bomb
from bench.memory import peak_memory
from bench.table import format_table
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.target import Target
from workers.decoder.sandbox import DecoderCrashed, Sandbox


def register(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("bombs", help="time and memory of hostile pictures")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Convert each bomb in a decoder of its own and print the outcome."""
    rows = [("bomb", "bytes", "ms", "peak MB", "")]
    warm = bomb("png IHDR 2³¹-1")
    for name in BOMBS | ODDITIES:
        sandbox, data = Sandbox(60), bomb(name)
        try:
            _outcome(sandbox, warm)  # its start is not the bomb's time
            began = time.perf_counter()
            outcome = _outcome(sandbox, data)
            milliseconds = (time.perf_counter() - began) * 1000
            peak = f"{peak_memory(sandbox.pid) / 1e6:.0f}" if sandbox.pid else "?"
            rows.append((name, str(len(data)), f"{milliseconds:.0f}", peak, outcome))
        finally:
            sandbox.close()
    print(format_table([row[:4] for row in rows]))
    print()
    for row in rows[1:]:
        print(f"{row[0]}: {row[4]}")


def _outcome(sandbox: Sandbox, data: Data) -> str:
    try:
        result = sandbox.convert(data, Target(Format.WEBP, 0, Limits()))
    except PictureError as error:
        return f"{error} ({error.code})"
    except DecoderCrashed as error:
        return f"crashed: {error}"
    return f"done, {len(result)} bytes"

"""`python -m bench speed`: each measurement is a subcommand and a module of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from bench import auto, bombs, command, looks, maxbytes, quality, sizes, speed
from bench.engine import start_with_malloc_of_decoder
from bench.errors import BenchError
from bench.fleet import command as fleet
from bench.scale import command as scale
from bench.scale import corpus
from bench.web import command as web

AGAIN_SECONDS = 0.05
"""After which a stop that was swallowed is tried again."""

MEASUREMENTS = (
    *(speed, sizes, quality, auto, looks, corpus, scale),
    *(maxbytes, bombs, fleet, web, command),
)


def main(given: Sequence[str] | None = None) -> int:
    """Run the measurement the arguments name, those of the command if none are given. Returns the
    status to exit with."""
    parser = argparse.ArgumentParser(prog="script/bench")
    # Those that convert here, and not in servers and decoders that they start, say so.
    parser.set_defaults(in_process=False)
    commands = parser.add_subparsers(required=True, metavar="measurement")
    for module in MEASUREMENTS:
        module.register(commands)
    arguments = parser.parse_args(given)
    if given is None and arguments.in_process:
        start_with_malloc_of_decoder()
    signal.signal(signal.SIGTERM, _stop)
    sys.unraisablehook = _stop_again
    try:
        arguments.run(arguments)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _stop(signum: int, frame: FrameType | None) -> None:
    """Leave as after a Ctrl-C: what was started is stopped, what was written is deleted."""
    raise KeyboardInterrupt


def _stop_again(swallowed: sys.UnraisableHookArgs) -> None:
    """Stop a little later, where the signal came while C had called Python, as to delete an object
    or to hand on a frame: an exception from there goes no further."""
    if not issubclass(swallowed.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(swallowed)
        return
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)


# The processes that bare.py spawns import this module again, under another name.
if __name__ == "__main__":
    sys.exit(main())

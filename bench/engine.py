"""The engine in this process."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from imaging.target import Target
from workers.decoder.process import ENVIRONMENT

if TYPE_CHECKING:
    from imaging.measures import Measures


_OF_MALLOC = {name: value for name, value in ENVIRONMENT.items() if name.startswith("MALLOC_")}


def use_one_thread() -> None:
    """Have it run as in a worker, with one thread. Call it before libvips is loaded."""
    os.environ |= {name: ENVIRONMENT[name] for name in ("VIPS_CONCURRENCY", "RAYON_NUM_THREADS")}


def start_with_malloc_of_decoder() -> None:
    """Start this program anew, in the same process, unless its memory is taken as a decoder's is.
    glibc reads how as it is loaded. Else the kernel clears new memory for each picture, in 12,000
    pages for one of 4 megapixels."""
    if any(os.environ.get(name) != value for name, value in _OF_MALLOC.items()):
        os.execve(sys.executable, sys.orig_argv, os.environ | _OF_MALLOC)


def converted(data: bytes, target: Target, repeat: int = 1) -> tuple[bytes, float, Measures]:
    """The result, the CPU seconds of its whole conversion, and what is known of it at the end.

    Args:
        repeat: how often it is converted; the least of the times counts, as other work on the
            machine makes them longer.

    Raises:
        PictureError: if the picture cannot be converted.
    """
    from imaging.convert import convert

    told: list[Measures] = []
    seconds = []
    for _ in range(repeat):
        began = time.process_time()
        result = convert(data, target, told.append)
        seconds.append(time.process_time() - began)
    return result, min(seconds), told[-1]

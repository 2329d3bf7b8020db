"""The engine in this process."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from imaging.target import Target

if TYPE_CHECKING:
    from imaging.measures import Measures


def use_one_thread() -> None:
    """Have it run as in a worker, with one thread. Call it before libvips is loaded."""
    os.environ |= {"VIPS_CONCURRENCY": "1", "RAYON_NUM_THREADS": "1"}


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

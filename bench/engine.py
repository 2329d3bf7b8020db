"""The engine in this process."""

from __future__ import annotations

import os


def use_one_thread() -> None:
    """Have it run as in a worker, with one thread. Call it before libvips is loaded."""
    os.environ |= {"VIPS_CONCURRENCY": "1", "RAYON_NUM_THREADS": "1"}

"""A worker as a user's own program would have it: RQ's, and a function that calls libvips."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import redis
from rq import SimpleWorker, Worker

from imaging.process.parent import die_with_parent
from imaging.quality import DEFAULT_QUALITY

QUEUE = "plain"


def convert(source: str, result: str) -> None:
    """Convert the file to WebP, and sync the result."""
    import pyvips  # the web process names this function and needs no libvips

    image = pyvips.Image.new_from_file(source)
    write_synced(Path(result), image.webpsave_buffer(Q=DEFAULT_QUALITY))


def write_synced(path: Path, data: bytes) -> None:
    """Write a file whose content, not its name, outlasts a loss of power."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def work(parent: int, url: str, forking: bool) -> None:
    """Take jobs for as long as `parent` lives.

    Args:
        forking: whether a process is forked for each, which is RQ's default.
    """
    die_with_parent(parent)
    import pyvips  # noqa: F401 - so that no job loads it

    logging.disable(logging.WARNING)
    kind = Worker if forking else SimpleWorker
    kind([QUEUE], connection=redis.Redis.from_url(url)).work(logging_level="ERROR")

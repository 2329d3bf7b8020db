"""The workers by themselves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.service import Process, environment


@contextlib.contextmanager
def workers(folder: Path, url: str, **settings: Any) -> Iterator[Process]:
    """`python -m workers`."""
    process = Process(["workers"], environment(folder, REDIS__URL=url, **settings))
    try:
        yield process
    finally:
        process.terminate()

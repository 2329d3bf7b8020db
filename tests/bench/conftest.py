"""What the tests of all measurements share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder with a short name: the socket of a Redis below it has few characters."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)

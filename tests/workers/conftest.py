"""What the tests of the workers share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service import Client
from tests.web.alone import Web


@pytest.fixture
def web(alone: Web) -> Client:
    """The web alone; the test brings its workers, with `folder`."""
    return alone.client


@pytest.fixture
def folder(alone: Web) -> Path:
    """Where the web has its files, and the workers are to find them."""
    return alone.folder

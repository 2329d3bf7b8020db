"""What the tests of the workers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import Client
from tests.web.alone import web as web_alone


@pytest.fixture
def web(redis_url: str, tmp_path: Path) -> Iterator[Client]:
    """The web alone, on a Redis; the test brings its workers."""
    with web_alone(tmp_path, redis_url) as running:
        yield running.client

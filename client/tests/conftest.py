"""What the tests of the client share: a real server, a stand-in for one, pictures."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path

import httpcore2
import pytest

from client.tests.standin import Standin, standin
from tests.service import Service, service


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A real server, for tests that bring pictures of their own."""
    presets = json.dumps({"small": {"format": "png", "width": 50}, "low": {"q": 20}})
    with service(tmp_path_factory.mktemp("server"), PRESETS=presets) as running:
        yield running


@pytest.fixture
def fake() -> Iterator[Standin]:
    """A stand-in for the server."""
    with standin() as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def _certificates() -> Iterator[None]:
    """The certificates of the machine are read once: that takes each client 25 ms of CPU."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(httpcore2.default_ssl_context)
        patch.setattr(httpcore2, "default_ssl_context", once)
        yield


@pytest.fixture(autouse=True)
def _own_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user has set, and what commands remember, is none of the tests' business."""
    for name in ("TINYIMAGE_SERVER", "TINYIMAGE_API_KEY", "TINYIMAGE_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: an empty one."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here

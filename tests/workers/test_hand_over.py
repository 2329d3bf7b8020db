"""A small picture is handed to the decoder while the start of its job is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.storage.files import FileStorage
from app.process.bridge import Bridge
from imaging.data import Data
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.target import Target
from tests.pictures import snapshot
from tests.storage import Blocking
from workers import tasks

CONVERSION, TOKEN = Conversion("0" * 32, Format.WEBP, 80), "0" * 16


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """The resources of a worker, with a decoder that keeps what it gets."""
    begun: dict[str, tuple[Data, Target]] = {}

    def begin(name: str, *given: Any) -> None:
        assert name not in begun
        begun[name] = given

    with contextlib.closing(Bridge()) as bridge:
        here = SimpleNamespace(
            at_once=True,
            storage=FileStorage(tmp_path),
            transfer=bridge.run_at_once,
            settings=SimpleNamespace(
                limits=Limits(), engine=SimpleNamespace(effort=Effort.BALANCED)
            ),
            begun=begun,
            sandbox=SimpleNamespace(begin=begin, begun=begun.get),
        )
        monkeypatch.setattr(tasks, "runtime", lambda: here)
        yield here


def _job(size: object) -> Any:
    arguments = {"conversion": CONVERSION.to_dict(), "token": TOKEN, "filename": "a.jpg"}
    return SimpleNamespace(id="id", meta={"size_in": size}, kwargs=arguments)


def _store(folder: Path) -> bytes:
    data = snapshot()
    Blocking(FileStorage(folder)).put(paths.original(CONVERSION, TOKEN), data)
    return data


def test_a_small_picture_is_handed_over_once(here: SimpleNamespace, tmp_path: Path) -> None:
    data = _store(tmp_path)
    for _ in range(2):  # the commands may be sent again
        tasks.hand_over(_job(len(data)))
    original, target = here.begun[TOKEN]
    assert bytes(original) == data
    assert target == Target(Format.WEBP, 80, Limits(), Effort.BALANCED)


@pytest.mark.parametrize("size", [tasks.SMALL + 1, None])
def test_a_large_picture_is_read_once_its_job_has_begun(
    here: SimpleNamespace, tmp_path: Path, size: object
) -> None:
    _store(tmp_path)
    tasks.hand_over(_job(size))
    assert here.begun == {}


def test_a_storage_that_may_hang_is_asked_once_the_job_has_begun(
    here: SimpleNamespace, tmp_path: Path
) -> None:
    here.at_once = False
    tasks.hand_over(_job(len(_store(tmp_path))))
    assert here.begun == {}


def test_an_original_that_is_gone_is_left_to_the_job(here: SimpleNamespace) -> None:
    tasks.hand_over(_job(100))
    assert here.begun == {}

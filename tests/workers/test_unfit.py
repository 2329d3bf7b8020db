"""A libvips that is not the pinned one, or does not write a format: nothing becomes wrong."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import redis

import imaging.convert
from app.core.config.command import UNFIT_STATUS
from app.core.jobs import keys
from app.core.jobs.counted import overview as fleet
from bench.launch import ROOT, free_port
from imaging import libvips
from imaging.data import Data
from imaging.errors import PictureError
from imaging.formats import Format
from imaging.process.frames import Tried, Unfit
from imaging.target import Target
from tests.service import Process, environment, until
from tests.web.alone import missing, web
from workers.decoder.process import ENVIRONMENT, Decoder, DecoderLimits
from workers.decoder.sandbox import Sandbox

PINNED = metadata.version(libvips.WHEEL)

LOADED = """
from imaging import libvips
if library := libvips.library_to_open():
    libvips.open_library(library)
import pyvips
print(*(pyvips.version(part) for part in range(3)), sep=".")
print(pyvips.API_mode)
print(libvips.fault())
"""

UNFIT = (
    f"libvips is {PINNED}, and not 99.1.2: run pip install --force-reinstall --no-deps "
    "pyvips-binary==99.1.2"
)
"""What workers say that find another libvips."""


def loaded(*paths: Path) -> list[str]:
    """The libvips that is loaded, whether through a module, and what is wrong with it."""
    found = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env={"PYTHONPATH": ":".join(map(str, (*paths, ROOT)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split("\n")[:3]


def test_the_libvips_of_the_wheel_writes_every_format() -> None:
    assert loaded() == [PINNED, "True", "None"]


def test_a_module_that_pip_has_built_for_the_libvips_of_the_machine_is_not_used(
    tmp_path: Path,
) -> None:
    (tmp_path / "_libvips.py").write_text("raise SystemExit('the machine was looked at')")
    assert loaded(tmp_path) == [PINNED, "False", "None"]


def test_a_libvips_of_another_version_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libvips, "pinned_version", lambda: "8.14.1")
    said = libvips.fault()
    assert said == (
        f"libvips is {PINNED}, and not 8.14.1: run pip install --force-reinstall --no-deps "
        "pyvips-binary==8.14.1"
    )


@pytest.mark.parametrize("format", list(Format))
def test_an_encoder_that_fails_is_named(monkeypatch: pytest.MonkeyPatch, format: Format) -> None:
    convert = imaging.convert.convert

    def without_one(data: Data, target: Target) -> Data:
        if target.format is format:
            raise PictureError("no support\nat all")
        return convert(data, target)

    monkeypatch.setattr(imaging.convert, "convert", without_one)
    said = libvips.fault()
    assert said is not None
    assert said.startswith(f"libvips {PINNED} cannot write {format} (no support; at all): run pip")


def test_a_wheel_that_is_not_there_is_named_and_its_version_is_that_of_pip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert libvips.pinned_version() == PINNED
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    assert libvips.pinned_version() is None
    assert libvips.library_to_open() is None
    assert libvips.fault() == "pyvips-binary is not installed: install requirements.txt"


def test_an_encoder_that_writes_something_else_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    convert = imaging.convert.convert
    monkeypatch.setattr(
        imaging.convert,
        "convert",
        lambda data, target: b"x" * 100 if target.format is Format.AVIF else convert(data, target),
    )
    assert "does not write avif" in str(libvips.fault())


def test_a_decoder_that_replaces_a_worn_one_does_not_try_libvips_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def started(tried: Tried | None) -> Tried:
        decoder = Decoder(DecoderLimits(), 60, tried)
        try:
            decoder.connection.settimeout(60)
            decoder.wait(lambda: pytest.fail("the decoder does not start"))
            return decoder.tried
        finally:
            decoder.end()

    first = started(None)
    assert first.look
    about = tmp_path / "pyvips_binary-99.1.2.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {libvips.WHEEL}\nVersion: 99.1.2\n"
    )
    monkeypatch.setitem(ENVIRONMENT, "PYTHONPATH", str(tmp_path))
    assert started(first) == first
    with pytest.raises(Unfit, match="not 99"):
        started(None)


def test_workers_that_cannot_convert_end_with_one_line_and_readyz_says_it(
    tmp_path: Path, redis_url: str, connection: redis.Redis
) -> None:
    with web(tmp_path, redis_url) as running:
        unfit = Process(
            ["tests.workers.unfit", "workers", str(tmp_path / "packages")],
            environment(tmp_path, REDIS__URL=redis_url, UPLOAD__MAX_CONCURRENT_TASKS=3),
        )
        try:
            assert unfit.wait(60) == UNFIT_STATUS
        finally:
            unfit.destroy()
        assert unfit.log == [f"tinyimage: {UNFIT}\n"]
        until(lambda: missing(running) == {"workers": UNFIT}, what="/readyz says so")
        assert 0 < connection.ttl(keys.UNFIT) <= fleet.UNFIT_SECONDS


def test_everything_in_one_does_not_start_with_workers_that_cannot_convert_and_says_why_once(
    tmp_path: Path,
) -> None:
    unfit = Process(
        ["tests.workers.unfit", "app", str(tmp_path / "packages")],
        environment(tmp_path, free_port(), UPLOAD__MAX_CONCURRENT_TASKS=3),
    )
    try:
        assert unfit.wait(60) == 1
    finally:
        unfit.destroy()
    assert unfit.log == [
        f"tinyimage: {UNFIT}\n",
        "tinyimage: the worker process could not start; its last lines above say why\n",
    ]


def test_a_decoder_that_cannot_start_at_all_is_unfit_and_not_started_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "PYTHONHOME", "/nonexistent")
    sandbox = Sandbox(timeout=10)
    try:
        with pytest.raises(Unfit, match="at its start"):
            sandbox.check()
    finally:
        sandbox.close()

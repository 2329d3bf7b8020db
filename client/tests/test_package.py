"""The distribution: what is in it, and what it needs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from tinyimage_client import __version__

from bench.launch import ROOT

PROJECT = ROOT / "client"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made as an installer makes it, without what that would download."""
    folder = tmp_path_factory.mktemp("wheel")
    made = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--wheel-dir", str(folder), str(PROJECT)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (file,) = folder.glob("*.whl")
    return file


def test_a_wheel_has_the_command_its_types_and_nothing_of_the_server(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (scripts,) = [name for name in names if name.endswith("entry_points.txt")]
        assert "tinyimage = tinyimage_client.__main__:main" in archive.read(scripts).decode()
        metadata = archive.read(scripts.replace("entry_points.txt", "METADATA")).decode()
    assert {name.partition("/")[0] for name in names} == {
        "tinyimage_client",
        f"tinyimage_client-{__version__}.dist-info",
    }
    assert "tinyimage_client/py.typed" in names
    assert "Requires-Dist: httpx2" in metadata
    assert "keyring; extra" in metadata.replace(">=25", "")


def test_the_installed_command_works(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    ended = subprocess.run(
        [sys.executable, "-m", "tinyimage_client", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == f"tinyimage, version {__version__}\n"


def test_the_server_needs_nothing_of_the_client() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    needed = {line.partition(">=")[0] for line in project["dependencies"]}
    lines = (ROOT / "requirements.in").read_text().splitlines()
    assert needed.isdisjoint(line.partition("==")[0] for line in lines)
    copied = (ROOT / "Dockerfile").read_text() + (ROOT / ".dockerignore").read_text()
    assert "client" not in copied
    assert all(",<" in line for line in project["dependencies"]), "a library has upper bounds"

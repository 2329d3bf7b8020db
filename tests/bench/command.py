"""`script/bench`, run as somebody runs it."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.launch import ROOT, environment

SECONDS = 500
"""Within which a measurement ends, on a machine with much else to do."""

TIMEOUT = pytest.mark.timeout(SECONDS + 30)
"""The mark of the modules that run one."""


def bench(folder: Path, measurement: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a measurement to its end, with its temporary files in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "bench", measurement, *arguments],
        cwd=ROOT,
        env=environment(folder) | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def refused(measurement: str, *arguments: str) -> str:
    """What is said of arguments with which nothing is run, and their status is 2. In this process:
    a start takes two seconds."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), pytest.raises(SystemExit) as ended:
        main([measurement, *arguments])
    assert ended.value.code == 2
    return said.getvalue()

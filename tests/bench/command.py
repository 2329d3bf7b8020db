"""`script/bench`, run as somebody runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.launch import ROOT, environment


def bench(folder: Path, measurement: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a measurement to its end, with its temporary files in `folder`."""
    return subprocess.run(
        [sys.executable, "-m", "bench", measurement, *arguments],
        cwd=ROOT,
        env=environment(folder) | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )

"""What the decoder imports: there is one for each picture in work, and each has its own."""

from __future__ import annotations

import subprocess
import sys

from bench.launch import ROOT

NOT_NEEDED = {"asyncio", "html", "http.client", "numpy", "redis", "sanic", "ssl", "urllib.request"}
"""What takes megabytes and only talks to a network, or is for tests."""


def test_the_decoder_imports_nothing_that_it_does_not_need() -> None:
    show = "import sys, imaging.decoder, pyvips, imaging.convert; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True
    )
    modules = set(shown.stdout.split())
    assert "imaging.convert" in modules
    assert modules & NOT_NEEDED == set()

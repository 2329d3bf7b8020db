"""`python -m tests.workers.unfit MODULE FOLDER`: workers with another libvips than the pinned one.

MODULE is `workers`, or `app` for everything in one. In FOLDER a distribution is put that says so,
in front of the one that is installed.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from workers.decoder import process

if __name__ == "__main__":
    module = sys.argv.pop(1)
    folder = Path(sys.argv.pop(1))
    about = folder / "pyvips_binary-99.1.2.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: pyvips-binary\nVersion: 99.1.2\n")
    process.ENVIRONMENT["PYTHONPATH"] = str(folder)
    runpy.run_module(module, run_name="__main__", alter_sys=True)

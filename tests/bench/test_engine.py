"""The engine as it is measured: with one thread, as in a worker."""

from __future__ import annotations

import subprocess
import sys


def test_the_commands_do_not_load_libvips_before_its_threads_are_chosen() -> None:
    asked = "import sys; import bench.__main__; print('pyvips' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

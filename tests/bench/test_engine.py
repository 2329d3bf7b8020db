"""The engine as it is measured: with one thread, as in a worker."""

from __future__ import annotations

import os
import subprocess
import sys

from workers.decoder.process import ENVIRONMENT


def test_the_commands_do_not_load_libvips_before_its_threads_are_chosen() -> None:
    asked = "import sys; import bench.__main__; print('pyvips' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_command_that_converts_takes_memory_as_a_decoder_does() -> None:
    asked = (
        "import os; from bench.engine import start_with_malloc_of_decoder as start; "
        "start(); print(os.environ['MALLOC_TRIM_THRESHOLD_'])"
    )
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", asked], env=plain, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{ENVIRONMENT['MALLOC_TRIM_THRESHOLD_']}\n"

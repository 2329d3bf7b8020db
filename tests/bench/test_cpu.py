"""Where the CPU time goes, for processes that have ended meanwhile."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.cpu import cpu_of_service

BURNT = 100
"""Milliseconds of CPU."""

WORKER = f"""
import subprocess, sys
burn = "import time\\nwhile time.process_time() < {BURNT / 1000}: pass"
subprocess.run([sys.executable, "-c", burn], check=True)
print("ended", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it of ended processes")
def test_a_decoder_that_was_replaced_counts_on() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, "-m", "workers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline()
        assert cpu_of_service(worker.pid)["decoder"] >= BURNT - 20  # counted in ticks of 10 ms

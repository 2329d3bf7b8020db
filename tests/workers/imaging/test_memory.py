"""How much memory the child takes for the largest picture; takes about 20 s."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.core.conversion import Format
from app.core.options import Effort
from tests.pictures import large, opened
from tests.workers.imaging.samples import MAX_PIXELS
from workers.imaging.protocol import Target
from workers.sandbox import Sandbox

MOST = 400
"""MiB (issue 4)."""


def _peak(pid: int) -> float:
    """MiB of the largest resident size so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) / 1024


@pytest.mark.timeout(300)
def test_50_megapixels_to_webp_are_less_than_400_mb() -> None:
    data = large(8160, 6120)
    sandbox = Sandbox(200)
    try:
        result = sandbox.convert(data, Target(Format.WEBP, 0, MAX_PIXELS, Effort.BALANCED))
        assert sandbox.pid is not None
        peak = _peak(sandbox.pid)
    finally:
        sandbox.close()
    assert opened(bytes(result)).size == (8160, 6120)
    # Less than the pixels alone would be a measurement of something else.
    assert 100 < peak < MOST, f"{peak:.0f} MiB"

"""How much memory the child takes for the largest picture; takes about 20 s."""

from __future__ import annotations

import pytest

from app.core.conversion import Format
from app.core.options import Effort
from bench.memory import peak_memory
from tests.pictures import large, opened
from workers.imaging.limits import Limits
from workers.imaging.protocol import Target
from workers.sandbox import Sandbox

MOST = 400
"""MiB (issue 4)."""


@pytest.mark.timeout(300)
def test_50_megapixels_to_webp_are_less_than_400_mb() -> None:
    data = large(8160, 6120)
    sandbox = Sandbox(200)
    try:
        result = sandbox.convert(data, Target(Format.WEBP, 0, Limits(), Effort.BALANCED))
        assert sandbox.pid is not None
        peak = peak_memory(sandbox.pid) / 1024**2
    finally:
        sandbox.close()
    assert opened(bytes(result)).size == (8160, 6120)
    # Less than the pixels alone would be a measurement of something else.
    assert 100 < peak < MOST, f"{peak:.0f} MiB"

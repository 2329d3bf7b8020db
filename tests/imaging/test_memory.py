"""How much memory the decoder takes for the largest pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bench.memory import peak_memory
from imaging.formats import Format
from imaging.limits import Limits
from imaging.options import Effort
from imaging.target import Target
from tests.imaging.tiffs import tiff
from tests.pictures import large
from workers.decoder.sandbox import Sandbox

MOST = 400
"""MiB that are promised; of a picture as sharp as one can be, of which libwebp notes most before it
writes, 396 were measured."""


MOST_FLOATS = 560
"""MiB; 491 were measured. The file is 137, of which there are three: as it came, with another
directory, and as libvips owns it. All pixels as floats would be a fourth."""


def _converted(data: bytes, target: Target) -> tuple[bytes, float]:
    """The picture, and MiB that a decoder of its own has held at most."""
    sandbox = Sandbox(200)
    try:
        result = sandbox.convert(data, target)
        assert sandbox.pid is not None
        return bytes(result), peak_memory(sandbox.pid) / 1024**2
    finally:
        sandbox.close()


@pytest.mark.timeout(300)
def test_50_megapixels_to_webp_are_less_than_400_mb() -> None:
    result, peak = _converted(large(8160, 6120), Target(Format.WEBP, 0, Limits(), Effort.BALANCED))
    assert Image.open(io.BytesIO(result)).size == (8160, 6120)
    # Less than the pixels alone would be a measurement of something else.
    assert 100 < peak < MOST, f"{peak:.0f} MiB"


@pytest.mark.timeout(300)
def test_12_megapixels_of_floats_are_not_decoded_all_at_once() -> None:
    with Image.open(io.BytesIO(large(4000, 3000))) as photo:
        data = tiff(np.asarray(photo, dtype=np.float32) / 255, rowsperstrip=16)
    result, peak = _converted(data, Target(Format.JPG, 80, Limits(), Effort.FAST))
    assert Image.open(io.BytesIO(result)).size == (4000, 3000)
    assert len(data) / 1024**2 < peak < MOST_FLOATS, f"{peak:.0f} MiB"

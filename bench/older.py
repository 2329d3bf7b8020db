"""What the older server did, at its own settings and at others beside them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pyvips

from bench.errors import BenchError
from imaging.formats import Format

QUALITIES: dict[Format, Sequence[int]] = {
    Format.JPG: (60, 65, 70, 75, 78, 80, 83, 86, 89),
    Format.WEBP: (65, 70, 75, 80, 84, 88, 92),
    Format.PNG: (70, 75, 80, 85, 90, 95),
}
"""Where a curve of bytes over look is measured; for PNG the upper end of pngquant's range."""

OWN = {Format.JPG: 80, Format.WEBP: 80, Format.PNG: 85}
"""The older server's own choice on that curve."""

PNGQUANT_WORST = 65


def encode(image: pyvips.Image, format: Format, quality: int) -> bytes | None:
    """The picture as the older server would have written it, None if pngquant gives up.

    Args:
        image: upright, sRGB or grey, 8 bit; for JPEG without alpha.
    """
    match format:
        case Format.JPG:
            return cast(bytes, image.jpegsave_buffer(Q=quality, keep="none"))
        case Format.WEBP:
            return cast(bytes, image.webpsave_buffer(Q=quality, effort=4, keep="none"))
        case Format.PNG:
            return _pngquant(image, quality)
    raise AssertionError(f"the older server wrote no {format}")


def _pngquant(image: pyvips.Image, quality: int) -> bytes | None:
    worst = PNGQUANT_WORST if quality == OWN[Format.PNG] else 0
    program = Path(sys.executable).with_name("pngquant")
    try:
        done = subprocess.run(
            [program, f"--quality={worst}-{quality}", "--speed", "1", "--strip", "-"],
            input=image.pngsave_buffer(compression=1, keep="none"),
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise BenchError(f"pngquant cannot be run: {error.strerror}") from None
    return done.stdout if done.returncode == 0 else None

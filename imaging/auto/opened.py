"""The pixels of a file that was written, by the quickest decoder that there is for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pyvips
from PIL import Image

from imaging.codec import Writer
from imaging.write.strips import to_vips

QUICK_PIXELS = 12_000_000
"""Pixels of the largest picture that a writer's own decoder is used for: of a larger one a second
copy of all pixels counts."""


def opened(
    data: bytes, image: pyvips.Image, writer: Writer, load: Callable[[bytes], pyvips.Image]
) -> pyvips.Image:
    """The pixels.

    Args:
        data: a file that `writer` has made of `image`.
        load: what opens any file.
    """
    if writer.read is not None and image.width * image.height <= QUICK_PIXELS:
        with contextlib.suppress(OSError):  # libvips says why, if it cannot either
            seen = writer.read(data)
            return to_vips(seen) if isinstance(seen, Image.Image) else seen
    return load(data)

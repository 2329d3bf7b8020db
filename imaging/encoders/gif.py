"""GIF, still and animated, by cgif."""

from __future__ import annotations

from typing import Any, cast

import pyvips

from imaging.options import Effort

SETTINGS: dict[Effort, dict[str, Any]] = {
    Effort.FAST: {"effort": 4},
    Effort.BALANCED: {"effort": 7, "interframe_maxerror": 2},
    Effort.SMALL: {"effort": 10, "interframe_maxerror": 4, "interpalette_maxerror": 4},
}
"""The errors are distances in RGB up to which a pixel counts as that of the frame before, and a
palette as the one before."""


def encode(image: pyvips.Image, effort: Effort) -> bytes:
    """The file, which holds no metadata.

    Args:
        image: with a `page-height` an animation.
    """
    return cast(bytes, image.gifsave_buffer(keep="none", **SETTINGS[effort]))

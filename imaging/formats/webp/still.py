"""A still in one way: by Pillow where that can write it, and else by libvips."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

import pyvips

from imaging.formats.webp import by_pillow
from imaging.formats.webp.ways import in_time
from imaging.write.palette import Colours, to_pillow


def save(image: pyvips.Image, way: Mapping[str, Any], keep: int) -> bytes:
    """The file; of an animation too.

    Args:
        way: settings of webpsave.
        keep: what of the image's metadata is written.
    """
    if by_pillow.is_still(image):
        if not keep and by_pillow.can_write(way):
            with suppress(OSError, ValueError):  # libvips says why, if it cannot either
                # Whether alpha hides anything is asked of pixels that Pillow has.
                picture = to_pillow(image) if image.hasalpha() else image
                return by_pillow.write(picture, in_time(way, picture))
        way = in_time(way, image)
    return cast(bytes, image.webpsave_buffer(keep=keep, **way))


def save_whole(colours: Colours, way: Mapping[str, Any]) -> bytes:
    """The still with all of its colours."""
    if colours.is_small and not colours.keep and by_pillow.can_write(way):
        return by_pillow.write(colours.small, way)
    return save(colours.image, way, colours.keep)

"""A whole conversion."""

from __future__ import annotations

import pyvips

from workers.imaging.decode import decode, reason
from workers.imaging.encode import encode
from workers.imaging.errors import PictureError
from workers.imaging.normalise import normalise
from workers.imaging.protocol import Data, Target


def convert(data: Data, target: Target) -> bytes:
    """The picture in `data` as `target` describes it.

    Raises:
        PictureError: if it cannot be read or written.
    """
    try:
        return encode(normalise(decode(data, target.max_pixels)), target.format, target.quality)
    except pyvips.Error as error:
        raise PictureError(f"the picture cannot be converted: {reason(error)}") from None

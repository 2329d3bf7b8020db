"""What a JPEG 2000 says of its colours, in the box colr (ITU-T T.800, I.5.3.3; T.801, M.11.7.3)."""

from __future__ import annotations

import struct

from imaging.colour.said import NOTHING, Said
from imaging.colour.space import ROMM, Space
from imaging.data import Data
from imaging.limits import MAX_METADATA
from imaging.read.boxes import within

_ENUMERATED, _RESTRICTED, _ANY = 1, 2, 3
_ROMM_RGB = 21
"""Of the numbered spaces the one that is neither sRGB by its colours (sRGB, grey, sYCC) nor known
to the decoder. e-sRGB (20), which codes negative light, is not read."""
_ROMM_EXPONENT = 1.8

_MAX_BOXES = 16
"""How many of them are looked at; a file has one for each kind of reader."""


def read(data: Data) -> Said:
    """What the first box says that can be followed.

    Raises:
        struct.error: if one is cut off.
    """
    for number, box in enumerate(within(data, b"jp2h", b"colr")):
        if number == _MAX_BOXES or box.end - box.start < 3:
            break
        method = data[box.start]
        content = data[box.start + 3 : box.end]
        if method in (_RESTRICTED, _ANY) and len(content) <= MAX_METADATA:
            return Said(profile=bytes(content))
        if method == _ENUMERATED:
            (space,) = struct.unpack_from(">I", content)
            return Said(Space(ROMM, _ROMM_EXPONENT)) if space == _ROMM_RGB else NOTHING
    return NOTHING

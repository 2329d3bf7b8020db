"""JPEG 2000 (ITU-T T.800), read by Pillow."""

from __future__ import annotations

import struct

from imaging.codec import Reader
from imaging.colour.said import NOTHING, Said
from imaging.colour.space import ROMM, Space
from imaging.data import Data
from imaging.formats.jpeg_2000 import CODESTREAM
from imaging.limits import MAX_METADATA, Limits
from imaging.read.boxes import within

_ENUMERATED, _RESTRICTED, _ANY = 1, 2, 3
_ROMM_RGB = 21
"""Of the numbered spaces the one that is neither sRGB by its colours (sRGB, grey, sYCC) nor known
to the decoder. e-sRGB (20), which codes negative light, is not read."""
_ROMM_EXPONENT = 1.8

_MAX_BOXES = 16
"""How many of them are looked at; a file has one for each kind of reader."""


def _check(data: Data, limits: Limits) -> None:
    at = data.find(CODESTREAM)
    if at < 0:
        return
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    limits.check_size(max(0, right - left), max(0, bottom - top))


def _said(data: Data) -> Said:
    """What the first box colr says that can be followed (I.5.3.3; T.801, M.11.7.3).

    Raises:
        struct.error: if one is cut off.
    """
    if data.startswith(CODESTREAM):
        return NOTHING
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


READER = Reader(pillow="JPEG2000", check=_check, said=_said)

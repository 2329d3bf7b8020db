"""JPEG 2000, read by Pillow."""

from __future__ import annotations

import struct

from imaging.codec import Reader
from imaging.colour import jpeg_2000
from imaging.colour.said import NOTHING, Said
from imaging.data import Data
from imaging.formats.jpeg_2000 import CODESTREAM
from imaging.limits import Limits


def _check(data: Data, limits: Limits) -> None:
    at = data.find(CODESTREAM)
    if at < 0:
        return
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    limits.check_size(max(0, right - left), max(0, bottom - top))


def _said(data: Data) -> Said:
    return NOTHING if data.startswith(CODESTREAM) else jpeg_2000.read(data)


READER = Reader(pillow="JPEG2000", check=_check, said=_said)

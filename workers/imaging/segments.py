"""The segments that a JPEG has in front of its first scan."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from workers.imaging.protocol import Data

SOI = b"\xff\xd8"
"""Start of image: the first two bytes."""

APP0, APP1, APP2, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
"""The markers of applications' segments, and of comments (ITU-T T.81, table B.1)."""

METADATA = frozenset((*range(APP0, APP0 + 16), COM))

_SOS, _FILLING = 0xDA, 0xFF
_HEAD = struct.Struct(">BBH")
"""0xFF, the marker, and a length that counts itself (ITU-T T.81, B.1.1.4)."""
_NO_FILLING = re.compile(rb"[^\xff]")


class Segment(NamedTuple):
    """One of them. A tuple, as a file may have millions."""

    kind: int
    """Its marker."""
    start: int
    """Of its marker; bytes of filling before it are not part of it."""
    content: int
    """Where what comes behind marker and length starts."""
    end: int


def segments(data: Data) -> Iterator[Segment]:
    """The segments up to the scan, or to the first that is broken; one that is cut off ends with
    the file."""
    at, whole = len(SOI), len(data)
    while at + _HEAD.size <= whole:
        first, kind, size = _HEAD.unpack_from(data, at)
        if first != 0xFF or kind == _SOS:
            return
        if kind == _FILLING:  # any number of these may be there (ITU-T T.81, B.1.1.2)
            marker = _NO_FILLING.search(data, at)
            if marker is None:
                return
            at = marker.start() - 1
            continue
        if size < 2:
            return
        end = min(at + 2 + size, whole)
        yield Segment(kind, at, at + _HEAD.size, end)
        at = end

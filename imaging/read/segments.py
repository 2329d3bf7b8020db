"""The segments of a JPEG, up to the next scan."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from imaging.data import Data

SOI = b"\xff\xd8"
"""Start of image: the first two bytes."""

APP0, APP1, APP2, APP14, COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
"""The markers of applications' segments, and of comments (ITU-T T.81, table B.1)."""

EXIF_HEAD = b"Exif\0\0"
"""What the content of a segment with EXIF begins with (CIPA DC-008, 4.7.2)."""

METADATA = frozenset((*range(APP0, APP0 + 16), COM))

SOS, EOI = 0xDA, 0xD9
"""Start of a scan; end of the image, which has no length."""

_FILLING = 0xFF
_HEAD = struct.Struct(">BBH")
"""0xFF, the marker, and a length that counts itself (ITU-T T.81, B.1.1.4)."""
_NO_FILLING = re.compile(rb"[^\xff]")
_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""A marker; what is within a scan, bytes that are 0xFF and restarts, looks otherwise."""


class Segment(NamedTuple):
    """One of them. A tuple, as a file may have millions."""

    kind: int
    """Its marker."""
    start: int
    """Of its marker; bytes of filling before it are not part of it."""
    content: int
    """Where what comes behind marker and length starts."""
    end: int


def segments(data: Data, at: int = len(SOI)) -> Iterator[Segment]:
    """The segments up to the next scan, to the end of the image, or to the first that is broken;
    one that is cut off ends with the file.

    Args:
        at: where the first of them begins.
    """
    whole = len(data)
    while at + _HEAD.size <= whole:
        first, kind, size = _HEAD.unpack_from(data, at)
        if first != 0xFF or kind in (SOS, EOI):
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


def marker(data: Data, at: int) -> Segment | None:
    """The marker that comes next, behind any bytes of filling; None if something else does.

    Of a scan the segment is its header and all that is coded behind it, up to the next marker or to
    the end of a file that was cut off.
    """
    found = _NO_FILLING.search(data, at)
    if found is None or found.start() == at:
        return None
    start, kind = found.start() - 1, data[found.start()]
    if kind != SOS:
        return Segment(kind, start, start + 2, start + 2)
    if start + _HEAD.size > len(data):
        return None
    content = start + _HEAD.size
    behind = _BEHIND_SCAN.search(data, start + 2 + _HEAD.unpack_from(data, start)[2])
    return Segment(kind, start, content, behind.start() if behind else len(data))

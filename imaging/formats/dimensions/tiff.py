"""The size of a TIFF or BigTIFF: two entries of its first directory, wherever that is."""

from __future__ import annotations

import io
import struct
from typing import IO

_MAX_ENTRIES = 4096
"""Entries of a directory that are looked at; real ones have some twenty."""

_WIDTH, _HEIGHT = 256, 257
_BIG = 43
"""The version of BigTIFF, whose numbers have 64 bits."""

_FORMS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""The types of whole numbers without a sign (TIFF 6.0, section 2; LONG8 of BigTIFF)."""


def read(file: IO[bytes]) -> tuple[int, int]:
    """ImageWidth and ImageLength of the first picture (TIFF 6.0, section 8)."""
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    (version,) = struct.unpack_from(f"{order}H", head, 2)
    number, counted, entry = ("Q", "Q", 20) if version == _BIG else ("I", "H", 12)
    (start,) = struct.unpack_from(order + number, head, 8 if version == _BIG else 4)
    if start > file.seek(0, io.SEEK_END):
        return 0, 0
    file.seek(start)
    (count,) = struct.unpack(order + counted, file.read(struct.calcsize(order + counted)))
    directory = file.read(entry * min(count, _MAX_ENTRIES))
    found: dict[int, int] = {}
    for at in range(0, len(directory) - entry + 1, entry):
        tag, kind, values = struct.unpack_from(f"{order}HH{number}", directory, at)
        if tag in (_WIDTH, _HEIGHT) and kind in _FORMS and values == 1:
            place = at + (12 if version == _BIG else 8)
            form = order + _FORMS[kind]
            if struct.calcsize(form) <= at + entry - place:
                (found[tag],) = struct.unpack_from(form, directory, place)
    return found.get(_WIDTH, 0), found.get(_HEIGHT, 0)

"""TIFF and BigTIFF (TIFF 6.0)."""

from __future__ import annotations

import io
import struct
from typing import IO

from imaging.formats.facts import Facts

_MAX_ENTRIES = 4096
"""Entries of a directory that are looked at; real ones have some twenty."""

_WIDTH, _HEIGHT = 256, 257
_BIG = 43
"""The version of BigTIFF, whose numbers have 64 bits."""

_FORMS = {1: "B", 3: "H", 4: "I", 16: "Q"}
"""The types of whole numbers without a sign (TIFF 6.0, section 2; LONG8 of BigTIFF)."""


def size(file: IO[bytes]) -> tuple[int, int]:
    """ImageWidth and ImageLength of the first directory, wherever that is (section 8)."""
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


_BIG_TIFF = (b"II\x2b\x00\x08\x00\x00\x00", b"MM\x00\x2b\x00\x08\x00\x00")
"""With the size of an offset, and a zero."""


def recognise(head: bytes) -> str | None:
    """A BigTIFF by its signature."""
    return "image/tiff" if head.startswith(_BIG_TIFF) else None


FACTS = Facts(
    kinds={"image/tiff": "TIFF"},
    size=size,
    recognise=recognise,
    extensions=("tif", "tiff"),
    place=5,
)

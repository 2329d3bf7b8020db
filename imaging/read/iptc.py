"""What IPTC's older block (IIM 4.2) says of rights and of the time a picture was made."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from imaging.data import Data

RIGHTS, DATE, TIME = (2, 116), (2, 55), (2, 60)
"""Record and number of the data sets: copyright notice, date created, time created."""

_CHARACTERS = (1, 90)
_UTF_8 = b"\x1b%G"
"""What the coded character set says if texts are UTF-8 (IIM 4.2, 1:90)."""

_PHOTOSHOP = b"Photoshop 3.0\0"
_RESOURCE, _IPTC = b"8BIM", 0x0404
"""How a Photoshop resource begins, and the number of the one that holds the block."""


def read(block: Data) -> dict[tuple[int, int], str]:
    """The texts of `RIGHTS`, `DATE` and `TIME`, the first of each.

    Args:
        block: as a TIFF holds it, or the Photoshop segment of a JPEG; what is broken in it counts
            as not there.
    """
    found: dict[tuple[int, int], bytes] = {}
    try:
        for name, value in _data_sets(_inner(bytes(block))):
            if value:
                found.setdefault(name, value)
    except struct.error:
        pass
    code = "utf-8" if found.get(_CHARACTERS) == _UTF_8 else "latin-1"
    asked = [name for name in (RIGHTS, DATE, TIME) if name in found]
    texts = {name: found[name].decode(code, "replace").strip("\0 ") for name in asked}
    return {name: text for name, text in texts.items() if text}


def _inner(block: bytes) -> bytes:
    """The block itself, where it is in a list of Photoshop's resources."""
    at = len(_PHOTOSHOP) if block.startswith(_PHOTOSHOP) else 0
    if not block.startswith(_RESOURCE, at):
        return block
    while block.startswith(_RESOURCE, at):
        (number,) = struct.unpack_from(">H", block, at + 4)
        (name,) = struct.unpack_from(">B", block, at + 6)
        name += 1 + (name + 1) % 2  # a length, the text, and a byte to make that even
        at += 6 + name
        (size,) = struct.unpack_from(">I", block, at)
        at += 4
        if number == _IPTC:
            return block[at : at + size]
        at += size + size % 2
    return b""


def _data_sets(block: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Record, number and value of each, up to the first that is not one."""
    at = 0
    while at + 5 <= len(block) and block[at] == 0x1C:
        record, number, size = struct.unpack_from(">BBH", block, at + 1)
        at += 5
        if size & 0x8000:  # the length of the length, for what is larger than any text here
            return
        yield (record, number), block[at : at + size]
        at += size

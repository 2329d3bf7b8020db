"""JPEG 2000, as a file of boxes and as a bare codestream (ITU-T T.800)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts
from imaging.read.boxes import boxes, first_box, ftyp_brands

CODESTREAM = b"\xff\x4f\xff\x51"
"""SOC and SIZ, which begin every codestream (A.4.1, A.5.1)."""

_BOX = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
"""The box that begins every file of the family (I.5.1)."""
_KINDS = {
    b"jp2 ": "image/jp2",
    b"jpx ": "image/jpx",
    b"jph ": "image/jpx",
    b"jpm ": "image/jpm",
}
"""By the brand: Part 1, Part 2, high throughput (Part 15), compound documents (Part 6)."""


def recognise(head: bytes) -> str | None:
    """By its signature, and a file of boxes by its brands."""
    if head.startswith(CODESTREAM):
        return "image/j2c"
    if not head.startswith(_BOX):
        return None
    known = (_KINDS[brand] for brand in ftyp_brands(head, len(_BOX)) if brand in _KINDS)
    # The decoder looks at the boxes, so that a brand nobody knows is its own matter.
    return next(known, "image/jp2")


def size(file: IO[bytes]) -> tuple[int, int]:
    """What ihdr says, the first box of the header (I.5.3.1), or SIZ of a codestream: the reference
    grid less what is left of and above the picture (A.5.1)."""
    head = file.read(24)
    if head.startswith(CODESTREAM):
        right, bottom, left, top = struct.unpack(">8xIIII", head)
        return right - left, bottom - top
    header = first_box(file, b"jp2h")
    (length,) = struct.unpack_from(">I", header)
    for box in boxes(header, 16 if length == 1 else 8, len(header)):
        if box.kind == b"ihdr":
            height, width = struct.unpack_from(">II", header, box.start)
            return width, height
    return 0, 0


FACTS = Facts(
    kinds=dict.fromkeys(("image/jp2", "image/jpx", "image/j2c"), "JPEG 2000"),
    size=size,
    recognise=recognise,
    extensions=("jp2", "jpx", "j2k"),
    place=10,
)

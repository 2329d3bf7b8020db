"""PNG, still and animated (PNG, third edition)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts, Frames, Output

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def size(file: IO[bytes]) -> tuple[int, int]:
    """IHDR comes first (5.6)."""
    width, height = struct.unpack(">16xII", file.read(24))
    return width, height


def recognise(head: bytes) -> str | None:
    """A still, at once: to find an animation, `filetype` walks over all chunks in `head`."""
    is_still = head.startswith(SIGNATURE) and b"acTL" not in head
    return "image/png" if is_still else None


FACTS = Facts(
    # Which of the two an animation is said to be hangs on its first bytes.
    kinds={"image/png": "PNG", "image/apng": "APNG"},
    size=size,
    recognise=recognise,
    extensions=("apng",),
    place=2,
    is_animated=True,
    output=Output(
        max_side=2**31 - 1,  # 11.2.1
        can_be_lossless=True,
        frames=Frames.OWN,
    ),
)

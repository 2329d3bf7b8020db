"""GIF (GIF89a)."""

from __future__ import annotations

import struct
from typing import IO

from imaging.formats.facts import Facts, Frames, Output


def size(file: IO[bytes]) -> tuple[int, int]:
    """The logical screen (18)."""
    width, height = struct.unpack("<6xHH", file.read(10))
    return width, height


FACTS = Facts(
    kinds={"image/gif": "GIF"},
    size=size,
    place=4,
    is_animated=True,
    output=Output(
        max_side=65_535,  # 18: two bytes
        takes_q=False,
        is_alpha_partial=False,  # 23: one colour of the palette is clear
        frames=Frames.ALL,
    ),
)

"""JPEGs of blocks of one colour each, with any sampling factors; Pillow writes only three."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image

_QUANTISER = 8
"""With it a block's DC coefficient is the value less 128."""


def flat_jpeg(image: Image.Image, horizontal: int, vertical: int) -> bytes:
    """A baseline JPEG of `image`, whose size is whole blocks, with these factors for its luma."""
    step_x, step_y = 8 * horizontal, 8 * vertical
    ycc = np.asarray(image.convert("YCbCr"), dtype=np.float64)
    bits, last = [], [0, 0, 0]

    def put(component: int, block: np.ndarray) -> None:
        value = round(float(block.mean())) - 128
        difference, last[component] = value - last[component], value
        size = abs(difference).bit_length()
        bits.append(f"{size:04b}")
        if size:
            ones = (1 << size) - 1
            bits.append(f"{difference if difference > 0 else difference + ones:0{size}b}")
        bits.append("0")  # no more coefficients

    for y in range(0, image.height, step_y):
        for x in range(0, image.width, step_x):
            unit = ycc[y : y + step_y, x : x + step_x]
            for row in range(0, step_y, 8):
                for column in range(0, step_x, 8):
                    put(0, unit[row : row + 8, column : column + 8, 0])
            put(1, unit[..., 1])
            put(2, unit[..., 2])
    scan = "".join(bits)
    scan += "1" * (-len(scan) % 8)
    packed = int(scan, 2).to_bytes(len(scan) // 8, "big").replace(b"\xff", b"\xff\0")
    components = bytes((1, horizontal << 4 | vertical, 0, 2, 0x11, 0, 3, 0x11, 0))
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            _segment(0xDB, b"\0" + bytes([_QUANTISER]) * 64),
            _segment(0xC0, struct.pack(">BHHB", 8, image.height, image.width, 3) + components),
            # DC: twelve sizes, each in four bits. AC: the end of the block, in one.
            _segment(0xC4, b"\0" + bytes((0, 0, 0, 12)) + bytes(12) + bytes(range(12))),
            _segment(0xC4, b"\x10" + bytes((1,)) + bytes(15) + b"\0"),
            _segment(0xDA, bytes((3, 1, 0, 2, 0, 3, 0, 0, 63, 0))),
            packed,
            b"\xff\xd9",
        )
    )


def _segment(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, len(content) + 2) + content

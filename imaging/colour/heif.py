"""What a HEIF file says of its colours: nclx (ISO/IEC 14496-12, 12.1.5), and what its
bitstream says where the file does not."""

from __future__ import annotations

import struct

from imaging.colour import av1
from imaging.colour.said import NOTHING, Said
from imaging.colour.space import Space, coded
from imaging.data import Data
from imaging.read.items import primary_properties

_MONOCHROME = 0x10
"""The bit of the third byte of av1C (AV1-ISOBMFF, 2.3.3)."""
_CHROMA_FORMAT = 16
"""The byte of hvcC whose last two bits are 0 for monochrome (ISO/IEC 14496-15, 8.3.3.1)."""


def read(data: Data) -> Said:
    """What is said of the primary picture.

    Where there is an ICC profile too, that counts for the colours, and nclx for how the numbers are
    stored (ISO/IEC 23008-12, 6.5.5).

    Raises:
        struct.error: if a box is cut off.
    """
    properties = primary_properties(data, tile=True)
    space: Space | None = None
    full: bool | None = None
    grey = False
    for box in properties:
        content = data[box.start : min(box.end, box.start + 4096)]
        match box.kind:
            case b"colr" if content[:4] == b"nclx" and full is None:
                primaries, transfer, _, flags = struct.unpack_from(">HHHB", content, 4)
                space, full = coded(primaries, transfer), bool(flags & 0x80)
            case b"av1C" if len(content) >= 4:
                grey = bool(content[2] & _MONOCHROME)
            case b"hvcC" if len(content) > _CHROMA_FORMAT:
                grey = content[_CHROMA_FORMAT] & 3 == 0
    if full is None:
        for box in properties:
            if box.kind == b"av1C":
                stream = av1.read(bytes(data[box.start + 4 : min(box.end, box.start + 4096)]))
                if stream is not None:
                    space, full = coded(stream.primaries, stream.transfer), stream.full_range
    if full is None:
        return NOTHING
    # libheif brings colours to the full range, and passes over that of a picture without any.
    return Said(space, limited=grey and not full)

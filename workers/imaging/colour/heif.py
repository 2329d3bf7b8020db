"""What an AVIF or HEIC says of its colours: nclx (ISO/IEC 14496-12, 12.1.5), and what its
bitstream says where the file does not."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from workers.imaging.boxes import Box, boxes, inside, within
from workers.imaging.colour import av1
from workers.imaging.colour.said import NOTHING, Said
from workers.imaging.colour.space import Space, coded
from workers.imaging.protocol import Data

_MAX_ITEMS = 20_000
"""Items whose properties are looked at: a picture of 50 megapixels has some 200 tiles."""

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
    properties = _properties(data)
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


def _properties(data: Data) -> list[Box]:
    """Those of the primary picture, and behind them those of the first that it is made up from."""
    meta = next(within(data, b"meta"), None)
    if meta is None:
        return []
    parts: dict[bytes, Box] = {}
    for box in inside(data, meta):
        parts.setdefault(box.kind, box)
    if b"pitm" not in parts or b"iprp" not in parts:
        return []
    (primary,) = _number(data, parts[b"pitm"].start, data[parts[b"pitm"].start] > 0)
    items = [primary]
    if b"iref" in parts:
        items += _tiles(data, parts[b"iref"], primary)
    inner = {box.kind: box for box in inside(data, parts[b"iprp"])}
    if b"ipco" not in inner or b"ipma" not in inner:
        return []
    numbers = _associations(data, inner[b"ipma"], items)
    wanted = [number for item in items for number in numbers.get(item, ())]
    found: dict[int, Box] = {}
    for number, box in enumerate(inside(data, inner[b"ipco"]), 1):
        if number in wanted:
            found[number] = box
    return [found[number] for number in wanted if number in found]


def _number(data: Data, start: int, wide: bool) -> tuple[int]:
    """The id behind a version and flags."""
    (number,) = struct.unpack_from(">I" if wide else ">H", data, start + 4)
    return (number,)


def _tiles(data: Data, iref: Box, primary: int) -> Iterator[int]:
    """The first item that a picture is made up from, if it is (ISO/IEC 14496-12, 8.11.12)."""
    form = ">IHI" if data[iref.start] else ">HHH"
    for number, box in enumerate(boxes(data, iref.start + 4, iref.end)):
        if number == _MAX_ITEMS:
            return
        if box.kind == b"dimg":
            item, count, first = struct.unpack_from(form, data, box.start)
            if item == primary and count:
                yield first
                return


def _associations(data: Data, ipma: Box, items: list[int]) -> dict[int, list[int]]:
    """The numbers of the properties of these items (ISO/IEC 23008-12, 9.3.1)."""
    version, flags = data[ipma.start], data[ipma.start + 3]
    (count,) = struct.unpack_from(">I", data, ipma.start + 4)
    found: dict[int, list[int]] = {}
    at = ipma.start + 8
    form, step = (">I", 4) if version else (">H", 2)
    for _ in range(min(count, _MAX_ITEMS)):
        if at >= ipma.end or len(found) == len(items):
            break
        (item,) = struct.unpack_from(form, data, at)
        properties = data[at + step]
        at += step + 1
        size = 2 if flags & 1 else 1
        if item in items:
            mask = 0x7FFF if size == 2 else 0x7F
            numbers = (data[at + size * n : at + size * (n + 1)] for n in range(properties))
            found[item] = [int.from_bytes(number, "big") & mask for number in numbers]
        at += size * properties
    return found

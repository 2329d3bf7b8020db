"""The items of a HEIF file, and the properties of the one that is shown (ISO/IEC 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from imaging.data import Data
from imaging.read.boxes import Box, boxes, inside, within

_MAX_ITEMS = 20_000
"""Items whose properties are looked at: a picture of 50 megapixels has some 200 tiles."""


def primary_properties(data: Data, *, tile: bool = False) -> list[Box]:
    """The properties of the primary picture; none if the file does not say which it is.

    Args:
        tile: and behind them those of the first picture that it is made up from.

    Raises:
        struct.error: if a box is cut off.
        IndexError: if it is empty.
    """
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
    if tile and b"iref" in parts:
        items += _first(data, parts[b"iref"], b"dimg", primary)
    inner = {box.kind: box for box in inside(data, parts[b"iprp"])}
    if b"ipco" not in inner or b"ipma" not in inner:
        return []
    numbers = _associations(data, inner[b"ipma"], items)
    wanted = [number for item in items for number in numbers.get(item, ())]
    numbered = set(wanted)
    found: dict[int, Box] = {}
    for number, box in enumerate(inside(data, inner[b"ipco"]), 1):
        if number in numbered:
            found[number] = box
    return [found[number] for number in wanted if number in found]


def _number(data: Data, start: int, wide: bool) -> tuple[int]:
    """The id behind a version and flags."""
    (number,) = struct.unpack_from(">I" if wide else ">H", data, start + 4)
    return (number,)


def is_premultiplied(data: Data) -> bool:
    """Whether the colours of the primary picture are multiplied by its alpha already (ISO/IEC
    23008-12, 6.10.1.1).

    Raises:
        struct.error: if a box that comes before the references is cut off.
    """
    pitm = next(within(data, b"meta", b"pitm"), None)
    iref = next(within(data, b"meta", b"iref"), None)
    if pitm is None or iref is None:
        return False
    (primary,) = _number(data, pitm.start, data[pitm.start] > 0)
    return any(True for _ in _first(data, iref, b"prem", primary))


def _first(data: Data, iref: Box, kind: bytes, primary: int) -> Iterator[int]:
    """The first item that a picture refers to in this way, as to those it is made up from by dimg,
    if it does (ISO/IEC 14496-12, 8.11.12). A box that is broken refers to nothing: what the
    properties of the picture say counts all the same."""
    content = data[iref.start : iref.end]
    form = struct.Struct(">IHI" if content[:1] > b"\0" else ">HHH")
    with suppress(struct.error):  # it ends too early
        for box in islice(boxes(content, 4, len(content)), _MAX_ITEMS):
            if box.kind == kind and box.end - box.start >= form.size:
                item, count, first = form.unpack_from(content, box.start)
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

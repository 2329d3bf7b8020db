"""What a PNG says of its colours: the first of cICP, iCCP, sRGB, and gAMA with cHRM (PNG, third
edition, 4.3)."""

from __future__ import annotations

import struct
from itertools import pairwise

from imaging.colour.said import NOTHING, Said
from imaging.colour.space import BT709, Curve, Point, Primaries, Space, Transfer, coded, near
from imaging.data import Data

_SIGNATURE_SIZE = 8
_MAX_CHUNKS = 10_000
"""Chunks that are looked at; those of colour come before the palette and the pixels."""

_FIXED = 100_000
"""What gAMA and cHRM multiply their numbers with (11.3.2.1 and 11.3.2.2)."""

_SRGB_GAMMA = 1 / 2.2
_GAMMA_TOLERANCE = 0.05
"""The share by which a gamma may differ from that of sRGB and count as such, as in libpng."""

_GAMMAS = (0.1, 10.0)
"""Outside of these a gamma is a mistake: nothing would be seen of the picture."""


def read(data: Data) -> Said:
    """What the chunks before the pixels say.

    Raises:
        struct.error: if one is cut off.
    """
    chunks = _chunks(data)
    if b"cICP" in chunks:
        primaries, transfer, matrix, full = struct.unpack_from("4B", chunks[b"cICP"])
        if matrix == 0:  # of others, which PNG does not know, nothing is known
            return Said(coded(primaries, transfer), first=True, limited=full == 0)
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return NOTHING
    corners = _primaries(chunks.get(b"cHRM"))
    return Said(Space(corners, _transfer(chunks.get(b"gAMA"), corners)))


def _chunks(data: Data) -> dict[bytes, Data]:
    """The chunks of colour by their names, the first of each."""
    found: dict[bytes, Data] = {}
    at = _SIGNATURE_SIZE
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            break
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind in (b"IDAT", b"PLTE"):
            break
        if kind in (b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"):
            found.setdefault(kind, data[at + 8 : at + 8 + min(size, 64)])
        at += 12 + size
    return found


def _primaries(content: Data | None) -> Primaries:
    """The primaries of cHRM; of sRGB where it is missing, or they span no space."""
    if content is None:
        return BT709
    numbers = [number / _FIXED for number in struct.unpack_from(">8I", content)]
    white, red, green, blue = ((x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
    if not all(0 <= x <= 1 and 0 < y <= 1 and x + y <= 1 for x, y in (white, red, green, blue)):
        return BT709
    if not _is_inside(white, (red, green, blue)):
        return BT709
    return red, green, blue, white


def _is_inside(point: Point, corners: tuple[Point, Point, Point]) -> bool:
    """Whether a point is well within a triangle."""
    sides = []
    for (ax, ay), (bx, by) in pairwise((*corners, corners[0])):
        sides.append((bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax))
    return min(sides) > 0.001 or max(sides) < -0.001


def _transfer(content: Data | None, primaries: Primaries) -> Transfer:
    """The curve of gAMA; of sRGB where it is missing or makes no sense, or is as good as that."""
    if content is None:
        return Curve.SRGB
    (number,) = struct.unpack_from(">I", content)
    gamma: float = number / _FIXED
    if not _GAMMAS[0] <= gamma <= _GAMMAS[1]:
        return Curve.SRGB
    if near(primaries, BT709) and abs(gamma / _SRGB_GAMMA - 1) <= _GAMMA_TOLERANCE:
        return Curve.SRGB
    return 1 / gamma

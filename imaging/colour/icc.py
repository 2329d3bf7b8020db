"""ICC profiles: made for a colour space, and what is read of the ones that files bring."""

from __future__ import annotations

import struct
from functools import cache

import pyvips

from imaging.colour.matrix import D50, to_connection
from imaging.colour.space import BT709, Curve, Primaries, Space, Transfer, coded
from imaging.read.profile import PROFILE

GREY, RGB = b"GRAY", b"RGB "

_HEADER = 128
_SPACE = slice(16, 20)
"""Where a profile names the colour space of its values (ICC.1:2022, 7.2.6)."""
_TAG = struct.Struct(">4sII")
_MAX_TAGS = 200
"""Entries of a directory that are looked at; real ones have some twenty."""

_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1, as the parameters g, a, b, c and d (ICC.1:2022, 10.18)."""


@cache
def made(space: Space, *, grey: bool) -> bytes:
    """A profile of version 4 for this space, of three colours or of grey; some 500 bytes.

    Raises:
        ZeroDivisionError: if the primaries span no space.
        struct.error: if a number of it is too large for a profile.
    """
    curve = _curve(space.transfer)
    if grey:
        return _profile(GREY, {b"kTRC": curve})
    return _of_three(space.primaries, curve)


def colours_of(profile: bytes) -> bytes:
    """The colour space of a profile's values, as its header names it: `GREY`, `RGB` or another."""
    return bytes(profile[_SPACE])


def has_grey_profile(image: pyvips.Image) -> bool:
    """Whether the image has a profile for grey, with which a PNG can have no palette (PNG, third
    edition, 11.3.2.3)."""
    return bool(image.get_typeof(PROFILE)) and colours_of(bytes(image.get(PROFILE))) == GREY


def tinted(profile: bytes) -> bytes | None:
    """A profile of three colours with the curve of one for grey, None if it has none that is a
    curve of light.

    Where red, green and blue are alike it means the same; and LittleCMS calculates it, where it
    samples a grey one of 16 bits at 33 places and draws straight lines between.
    """
    curve = _tag(profile, b"kTRC")
    if curve is None or profile[20:24] != b"XYZ " or curve[:4] not in (b"curv", b"para"):
        return None
    return _of_three(BT709, curve)


def code_points(profile: bytes) -> Space | None:
    """The space that a profile names by its code points (ICC.1:2022, 9.2.17), None if it does
    not."""
    content = _tag(profile, b"cicp")
    return coded(content[8], content[9]) if content is not None and len(content) >= 12 else None


def _tag(profile: bytes, wanted: bytes) -> bytes | None:
    """The content of a tag; None where it is not there, or not whole."""
    try:
        (count,) = struct.unpack_from(">I", profile, _HEADER)
        for number in range(min(count, _MAX_TAGS)):
            name, start, size = _TAG.unpack_from(profile, _HEADER + 4 + _TAG.size * number)
            if name == wanted:
                content = bytes(profile[start : start + size])
                return content if len(content) == size else None
    except struct.error:
        pass
    return None


def _of_three(primaries: Primaries, curve: bytes) -> bytes:
    columns = zip(*to_connection(primaries), strict=True)
    names = (b"r", b"g", b"b")
    tags = {name + b"XYZ": _xyz(column) for name, column in zip(names, columns, strict=True)}
    return _profile(RGB, tags | {name + b"TRC": curve for name in names})


def _curve(transfer: Transfer) -> bytes:
    if isinstance(transfer, Curve):
        return b"para" + bytes(4) + struct.pack(">HH", 3, 0) + b"".join(map(_fixed, _SRGB_CURVE))
    return b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(transfer)


def _profile(colours: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A display profile with these tags (ICC.1:2022, 7.2 and 8)."""
    tags = {b"desc": _text("made"), b"cprt": _text("CC0"), b"wtpt": _xyz(D50)} | tags
    places: dict[bytes, int] = {}
    directory, body = struct.pack(">I", len(tags)), b""
    begin = _HEADER + len(directory) + _TAG.size * len(tags)
    for name, content in tags.items():
        # The same content, as three times a curve, stands there once.
        if content not in places:
            places[content] = begin + len(body)
            body += content + bytes(-len(content) % 4)
        directory += _TAG.pack(name, places[content], len(content))
    head = struct.pack(
        ">I4sI4s4s4s12s4s28s",
        *(_HEADER + len(directory) + len(body), bytes(4), 0x04300000),
        *(b"mntr", colours, b"XYZ ", struct.pack(">6H", 2024, 1, 1, 0, 0, 0), b"acsp", bytes(28)),
    )
    head += b"".join(map(_fixed, D50))
    return head.ljust(_HEADER, b"\0") + directory + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    return (
        b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(content), 28)
    ) + content


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))

"""ICC profiles made from their definitions, so that the colours they stand for are known."""

from __future__ import annotations

import struct

_D50 = (0.9642, 1.0, 0.8249)
_SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH", 3, 0)

# The primaries, adapted to D50, of Display P3 (SMPTE EG 432-1 with D65) and of Adobe RGB (1998).
_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def display_p3() -> bytes:
    """Display P3: what phones take their photographs in."""
    curve = _SRGB_CURVE + b"".join(
        _fixed(value) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    )
    return _rgb(_P3, curve)


def adobe_rgb() -> bytes:
    """Adobe RGB (1998)."""
    return _rgb(_ADOBE, b"curv" + bytes(4) + struct.pack(">IH", 1, round(563 / 256 * 256)))


def green_for_cyan() -> bytes:
    """CMYK of a press whose cyan ink is green, so that it is seen whether the profile was used."""
    inks: dict[tuple[int, ...], tuple[int, int, int]] = {
        (0, 0, 0, 0): (100, 0, 0),
        (1, 0, 0, 0): (60, -60, 50),
        (0, 1, 0, 0): (50, 70, 0),
    }
    table = bytearray()
    for number in range(16):
        ink = tuple(number >> shift & 1 for shift in (3, 2, 1, 0))
        lightness, a, b = inks.get(ink, (20, 0, 0))
        table += bytes((round(lightness * 2.55), a + 128, b + 128))
    matrix = b"".join(_fixed(value) for value in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    straight = bytes(range(256))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + straight * 4 + table + straight * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def grey_curve(gamma: float) -> bytes:
    """Grey whose light is its value to this power."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": b"para" + bytes(8) + _fixed(gamma)})


def grey_in_lab(gamma: float) -> bytes:
    """As `grey_curve`, by the lightness that each value has (ICC.1:2022, 8.3.4 and annex D)."""
    curve = b"curv" + bytes(4) + struct.pack(">I", 1024)
    for step in range(1024):
        light = (step / 1023) ** gamma
        root = light ** (1 / 3) if light > 216 / 24389 else (light * 24389 / 27 + 16) / 116
        curve += struct.pack(">H", round((1.16 * root - 0.16) * 65535))
    return _profile(b"mntr", b"GRAY", b"Lab ", {b"kTRC": curve})


def _rgb(primaries: tuple[tuple[float, float, float], ...], curve: bytes) -> bytes:
    tags = {
        name + b"XYZ": _xyz(value)
        for name, value in zip((b"r", b"g", b"b"), primaries, strict=True)
    }
    curves = {name + b"TRC": curve for name in (b"r", b"g", b"b")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | curves)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A profile of version 4 (ICC.1:2022)."""
    tags = {b"desc": _text("test"), b"cprt": _text("none"), b"wtpt": _xyz(_D50)} | tags
    directory, body = struct.pack(">I", len(tags)), b""
    begin = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        directory += name + struct.pack(">II", begin + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = begin + len(body)
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x04300000, kind, space, connection)
    header += struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += b"".join(_fixed(value) for value in _D50)
    return header.ljust(128, b"\0") + directory + body


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(value) for value in values)


def _text(text: str) -> bytes:
    content = text.encode("utf-16-be")
    record = struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(content), 28)
    return b"mluc" + bytes(4) + record + content


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))

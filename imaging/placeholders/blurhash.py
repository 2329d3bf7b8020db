"""BlurHash (github.com/woltapp/blurhash): colours as 28 characters."""

from __future__ import annotations

from math import copysign, floor

from imaging.placeholders.waves import waves

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
LONG, SHORT = 4, 3
"""Waves along the longer and the shorter side, as the authors advise."""
_LEVELS, _MIDDLE = 19, 9
"""A wave has so many, with its 0 in the middle."""


def blurhash(width: int, height: int, rgb: bytes) -> str:
    """The hash.

    Args:
        rgb: three bytes a pixel.
    """
    across, down = (LONG, SHORT) if width >= height else (SHORT, LONG)
    channels = []
    for band in range(3):
        values = [_LINEAR[value] for value in rgb[band::3]]
        plane = [values[at : at + width] for at in range(0, len(values), width)]
        found = waves(plane, across, down, 0)
        channels.append([number for row in found for number in row])
    mean, *others = zip(*channels, strict=True)
    # All waves but the mean have two halves.
    pairs = [[2 * value for value in each] for each in others]
    largest = max(abs(value) for each in pairs for value in each)
    level = max(0, min(82, floor(largest * 166 - 0.5)))
    most = (level + 1) / 166
    red, green, blue = map(_encoded, mean)
    text = _digits(across - 1 + (down - 1) * 9, 1) + _digits(level, 1)
    text += _digits(red << 16 | green << 8 | blue, 4)
    for each in pairs:
        number = 0
        for value in each:
            number = number * _LEVELS + _quantised(value / most)
        text += _digits(number, 2)
    return text


def _quantised(value: float) -> int:
    root = copysign(abs(value) ** 0.5, value)
    return max(0, min(_LEVELS - 1, floor(root * _MIDDLE + _MIDDLE + 0.5)))


def _digits(number: int, count: int) -> str:
    text = ""
    for _ in range(count):
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def _decoded(value: int) -> float:
    """Linear light of an sRGB value (IEC 61966-2-1)."""
    share = value / 255
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _encoded(light: float) -> int:
    share = light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return int(share * 255 + 0.5)


_LINEAR = [_decoded(value) for value in range(256)]

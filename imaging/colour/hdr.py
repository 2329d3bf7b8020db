"""PQ and HLG (ITU-R BT.2100) brought to sRGB.

The white of paper, which both have at 203 cd/m² (ITU-R BT.2408-7, table 1), is that of sRGB. A
picture that nowhere goes beyond it becomes what it is in sRGB. Of one that does, what is brighter
is compressed, as far as its brightest parts need it, by the curve of ITU-R BT.2390-11 (5.4.1). It
is applied to the largest of red, green and blue and all three are scaled alike, so hues stay.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import cache, lru_cache

import pyvips

from imaging.colour.matrix import inverse, product, to_connection
from imaging.colour.space import BT709, Curve, Space

WHITE = 203.0
"""cd/m² of diffuse white (ITU-R BT.2408-7, table 1)."""

_PEAK = 1000 / WHITE
"""The most that the curve makes room for, in whites: the displays on which such pictures are
graded have 1000 cd/m². What is brighter is white."""

_MOST = 10_000 / WHITE
"""The most that PQ can say, in whites."""

_HIGHLIGHTS = 0.001
"""The share of the pixels that may be brighter than what the curve makes room for."""

_STEPS = 65_535
_LUMINANCE = (0.2627, 0.6780, 0.0593)
"""Of red, green and blue of BT.2020 (ITU-R BT.2100-2, table 5)."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
"""The constants of PQ (ITU-R BT.2100-2, table 4)."""
_A, _B, _C = 0.17883277, 0.28466892, 0.55991073
"""The constants of HLG (ITU-R BT.2100-2, table 5)."""
_SYSTEM_GAMMA = 1.2
"""From the light before the camera to that of a display of 1000 cd/m²."""


def to_sdr(image: pyvips.Image, space: Space) -> pyvips.Image:
    """The picture in sRGB, 8 bit, its alpha kept; grey stays grey.

    Args:
        image: red, green and blue, or grey; it is read twice, in any order.
        space: one that is HDR.
    """
    alpha = None
    if image.hasalpha():
        image, alpha = image[: image.bands - 1], image[image.bands - 1]
        alpha = (alpha >> 8 if alpha.format == "ushort" else alpha).cast("uchar")
    grey = image.bands == 1
    light = _light(image if not grey else image.bandjoin([image, image]), space)
    brightest = light[0].maxpair(light[1]).maxpair(light[2])
    # Finer where it is darker, as the eye is.
    level = ((brightest * (1 / _MOST)) ** 0.5 * _STEPS).rint().cast("ushort")
    gain = level.maplut(_gain(_peak(level)))
    shown = (light * gain * _STEPS).rint().cast("ushort").maplut(_srgb())
    shown = shown[0].copy(interpretation="b-w") if grey else shown.copy(interpretation="srgb")
    return shown.bandjoin(alpha) if alpha is not None else shown


def _light(image: pyvips.Image, space: Space) -> pyvips.Image:
    """Linear red, green and blue of sRGB's primaries in whites, from 0 to `_MOST`."""
    bits = int(image.get("bits-per-sample")) if image.get_typeof("bits-per-sample") else 16
    if image.format == "ushort":
        # Fewer bits are the upper ones of 16.
        most = (1 << bits) - 1 << 16 - bits if 8 < bits <= 16 else _STEPS
    else:
        image, most = image.cast("uchar"), 255
    size = 65_536 if image.format == "ushort" else 256
    curve = _pq if space.transfer is Curve.PQ else _hlg
    light = image.maplut(_linear(curve, size, most))
    if space.transfer is Curve.HLG:
        luminance = light.recomb([list(_LUMINANCE)])
        light = light * luminance ** (_SYSTEM_GAMMA - 1) * (1000 / WHITE)
    to_srgb = product(inverse(to_connection(BT709)), to_connection(space.primaries))
    return light.recomb([list(row) for row in to_srgb]).clamp(min=0, max=_MOST)


def _peak(level: pyvips.Image) -> float:
    """The brightest part of the picture, in whites, from 1 to `_PEAK`."""
    counts = array("I", bytes(level.hist_find().write_to_memory()))
    left = _HIGHLIGHTS * level.width * level.height
    for number in range(len(counts) - 1, -1, -1):
        left -= counts[number]
        if left < 0:
            return min(max(1.0, _brightness(number)), _PEAK)
    return 1.0


def _brightness(level: int) -> float:
    return (level / _STEPS) ** 2 * _MOST


@lru_cache(maxsize=4)
def _gain(peak: float) -> pyvips.Image:
    """What a pixel is multiplied with, by its level, in a picture of this peak. Many pictures have
    the least or the most that there is."""
    curve = _curve(peak)

    def gain(level: int) -> float:
        brightness = _brightness(level)
        return min(1.0, curve(brightness)) / brightness if brightness > 0 else 1.0

    return _lut([gain(level) for level in range(_STEPS + 1)], "float")


def _curve(peak: float) -> Callable[[float], float]:
    """The curve from 0 to `peak` whites to 0 to 1 (ITU-R BT.2390-11, 5.4.1, black at 0)."""
    top = _pq_inverse(peak)
    most = _pq_inverse(1.0) / top
    knee = 1.5 * most - 0.5

    def compressed(brightness: float) -> float:
        value = _pq_inverse(min(brightness, peak)) / top
        if value <= knee:
            return brightness
        t = (value - knee) / (1 - knee)
        value = (
            (2 * t**3 - 3 * t**2 + 1) * knee
            + (t**3 - 2 * t**2 + t) * (1 - knee)
            + (-2 * t**3 + 3 * t**2) * most
        )
        return _pq(value * top)

    return compressed if peak > 1 else lambda brightness: brightness


def _pq(value: float) -> float:
    """Whites of a value of PQ from 0 to 1."""
    power = value ** (1 / _M2)
    return float((max(0.0, power - _C1) / (_C2 - _C3 * power)) ** (1 / _M1) * _MOST)


def _pq_inverse(whites: float) -> float:
    power = (whites / _MOST) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _hlg(value: float) -> float:
    """Light before the camera, 0 to 1, of a value of HLG from 0 to 1."""
    if value <= 0.5:
        return value * value / 3
    return float((2.718281828459045 ** ((value - _C) / _A) + _B) / 12)


@cache
def _linear(curve: Callable[[float], float], size: int, most: int) -> pyvips.Image:
    """The light of each of `size` values, of which `most` is 1."""
    return _lut([curve(min(1.0, value / most)) for value in range(size)], "float")


@cache
def _srgb() -> pyvips.Image:
    """From linear light of 16 bits to sRGB of 8 (IEC 61966-2-1)."""

    def encoded(step: int) -> int:
        light = step / _STEPS
        value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
        return round(255 * value)

    return _lut([encoded(step) for step in range(_STEPS + 1)], "uchar")


def _lut(values: list[float] | list[int], kind: str) -> pyvips.Image:
    packed = array("f" if kind == "float" else "B", values).tobytes()
    return pyvips.Image.new_from_memory(packed, len(values), 1, 1, kind)

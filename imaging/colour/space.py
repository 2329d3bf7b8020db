"""A colour space by its primaries and its transfer function, and the sets that have numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Point = tuple[float, float]
"""x and y of a chromaticity (CIE 1931)."""

Primaries = tuple[Point, Point, Point, Point]
"""Red, green, blue and white."""

D65: Point = (0.3127, 0.3290)
_C: Point = (0.310, 0.316)

BT709: Primaries = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), D65)
BT2020: Primaries = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65)
ROMM: Primaries = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), (0.3457, 0.3585))
"""ROMM RGB (ISO 22028-2), also known as ProPhoto RGB."""


class Curve(Enum):
    """Transfer functions that are not a power."""

    SRGB = "sRGB"
    PQ = "PQ"
    HLG = "HLG"


Transfer = Curve | float
"""How a value becomes light; a number is the exponent."""

HDR = (Curve.PQ, Curve.HLG)

_PRIMARIES: dict[int, Primaries] = {
    1: BT709,
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), D65),
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: BT2020,
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), D65),
}
"""ColourPrimaries (ITU-T H.273, table 2), but CIE XYZ (10), which no picture for viewing is in."""

_TRANSFERS: dict[int, Transfer] = {
    4: 2.2,
    5: 2.8,
    8: 1.0,
    16: Curve.PQ,
    17: 2.6,
    18: Curve.HLG,
}
"""TransferCharacteristics (ITU-T H.273, table 3) that are other than sRGB. The cameras' curves of
BT.709, BT.601 and BT.2020 (1, 6, 14, 15 and their kin) count as sRGB: they describe how light
becomes a value in a camera and not on a screen, and files that name them hold sRGB as a rule."""

_TOLERANCE = 0.002
"""Of a coordinate: PNG has five digits, and programs round as they like."""


@dataclass(frozen=True, slots=True)
class Space:
    """A colour space of red, green and blue, or of grey by its transfer function alone."""

    primaries: Primaries = BT709
    transfer: Transfer = Curve.SRGB

    @property
    def is_hdr(self) -> bool:
        """Whether its values go beyond the white of paper."""
        return self.transfer in HDR

    def is_srgb(self, *, grey: bool) -> bool:
        """Whether its values are those of sRGB; of a grey picture the curve alone counts."""
        return self.transfer is Curve.SRGB and (grey or near(self.primaries, BT709))


SRGB = Space()


def coded(primaries: int, transfer: int) -> Space:
    """The space of these code points (ITU-T H.273, also known as CICP).

    What is unspecified or unknown is that of sRGB.
    """
    return Space(_PRIMARIES.get(primaries, BT709), _TRANSFERS.get(transfer, Curve.SRGB))


def near(one: Primaries, other: Primaries) -> bool:
    """Whether these are the same but for rounding."""
    return all(
        abs(a - b) <= _TOLERANCE
        for p, q in zip(one, other, strict=True)
        for a, b in zip(p, q, strict=True)
    )

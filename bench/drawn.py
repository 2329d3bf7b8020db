"""What becomes of the hundred graphics of `bench.graphics`, against the files they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from statistics import geometric_mean, mean

from bench.sizes_report import Point
from bench.table import format_table
from imaging.formats import Format
from imaging.options import Effort

FORMATS = (Format.WEBP, Format.PNG, Format.JPG)

TO_REACH = {Format.WEBP: 0.26}
"""The share of the originals' bytes that is to be had at `Effort.BALANCED`, at most, as the
geometric mean. Larger than anything is to be none, and the look no lower than the lossy one."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One graphic."""

    original: int
    """Bytes of its PNG."""
    lossy: float
    """SSIMULACRA2 of libwebp's lossy encoder at 80, which all of them got before."""
    ours: Mapping[tuple[Format, Effort], Point]


def drawn_table(graphics: Sequence[Drawn], formats: Sequence[Format]) -> str:
    """A line for each format and effort."""
    rows: list[tuple[str, ...]] = [
        ("", "", "of the original", "", "larger than", "", "", "SSIMULACRA2", "", "CPU"),
        (
            *("format", "effort", "mean", "to reach", "original", "our PNG", "effort below"),
            *("look", "lossy", "ms"),
        ),
    ]
    for format in formats:
        below: list[int] = []
        for effort in Effort:
            points = [graphic.ours[format, effort] for graphic in graphics]
            sizes = [point.bytes for point in points]
            originals = [graphic.original for graphic in graphics]
            shares = [size / original for size, original in zip(sizes, originals, strict=True)]
            pngs = [g.ours[Format.PNG, effort].bytes for g in graphics if Format.PNG in formats]
            looks = [point.look for point in points if not isnan(point.look)]
            reach = TO_REACH.get(format) if effort is Effort.BALANCED else None
            rows.append(
                (
                    *("" if below else format, effort, f"{geometric_mean(shares):.3f}"),
                    f"{reach:.2f}" if reach else "",
                    # A JPEG of a drawing is larger than its PNG, whoever writes it.
                    "" if format is Format.JPG else _larger(sizes, originals),
                    _larger(sizes, pngs) if format is Format.WEBP else "",
                    _larger(sizes, below),
                    f"{mean(looks):.1f}" if looks else "",
                    f"{mean(graphic.lossy for graphic in graphics):.1f}" if looks else "",
                    f"{mean(point.milliseconds for point in points):.0f}",
                )
            )
            below = sizes
    return format_table(rows)


def _larger(sizes: Sequence[int], others: Sequence[int]) -> str:
    """How many are larger, "" if there is nothing to hold them against."""
    if not others:
        return ""
    return str(sum(size > other for size, other in zip(sizes, others, strict=True)))

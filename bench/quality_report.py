"""The table of `script/bench quality`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import mean, median, pstdev

from bench.table import format_table
from imaging.auto.search import LOOKS
from imaging.formats import Format
from imaging.options import Auto

NEAR, FAR = 1.5, 4.0
"""Points from the target: nine of ten pictures are to be within the first, and no picture is to be
more than the second below it."""

SPREAD, BYTES = 1.2, 0.93
"""The standard deviation of the looks, and the bytes over those of the fixed number that has the
same share of pictures below the target less `NEAR`, at the most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One picture."""

    bytes: int
    look: float
    """SSIMULACRA2 of the whole, by the reference package."""
    quality: int
    cpu: float
    """Over that of a fixed number."""
    fixed: Mapping[int, tuple[int, float]]
    """Bytes and look of each fixed number."""


def quality_table(format: Format, auto: Auto, rows: Sequence[Measured], count: int) -> str:
    """What is to be reached, and what was."""
    target = LOOKS[auto]
    apart = [row.look - target for row in rows]
    at_80 = [row.fixed[80][1] for row in rows]
    low = sum(one < -NEAR for one in apart) / len(apart)
    ours = sum(row.bytes for row in rows)
    bytes_of, number = _equal(rows, target, low)
    within = sum(abs(one) <= NEAR for one in apart) / len(apart)
    table = [
        (f"{format}, q={auto}, target {target:g}", "", "to reach"),
        ("pictures with a quality to choose", f"{len(rows)} of {count}", ""),
        (f"within {NEAR} of the target", f"{within:.2f}", "0.90"),
        ("lowest", f"{min(apart):+.1f}", f"{-FAR:+.1f}"),
        ("mean", f"{mean(apart):+.2f}", ""),
        ("standard deviation", f"{pstdev(apart):.2f}", f"{SPREAD:.2f}"),
        ("standard deviation at a fixed 80", f"{pstdev(at_80):.2f}", ""),
        (f"bytes over those of a fixed {number:.0f}", f"{ours / bytes_of:.3f}", f"{BYTES:.3f}"),
        ("CPU over a fixed 80, median", f"{median(row.cpu for row in rows):.2f}", ""),
        ("qualities", f"{min(r.quality for r in rows)} to {max(r.quality for r in rows)}", ""),
    ]
    return format_table(table)


def _equal(rows: Sequence[Measured], target: float, share: float) -> tuple[float, float]:
    """Bytes of the fixed number, between those that were measured, that has this share of pictures
    below the target less `NEAR`; and that number."""
    points = []
    for number in sorted(rows[0].fixed):
        below = sum(row.fixed[number][1] < target - NEAR for row in rows) / len(rows)
        points.append((below, sum(row.fixed[number][0] for row in rows), float(number)))
    for (more, fewer_bytes, low), (less, more_bytes, high) in pairwise(points):
        if less <= share <= more and more > less:
            part = (more - share) / (more - less)
            return fewer_bytes + (more_bytes - fewer_bytes) * part, low + (high - low) * part
    return (points[0] if share > points[0][0] else points[-1])[1:]

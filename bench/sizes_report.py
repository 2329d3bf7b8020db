"""What `bench.sizes` has measured, and its table."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log
from statistics import geometric_mean, mean

from bench.table import format_table
from imaging.formats import Format
from imaging.options import Effort

REFERENCE = {Format.AVIF: Format.JPG}
"""What a format is held against, where the older server did not write it itself."""

TO_REACH = {
    (Format.JPG, Effort.SMALL): 0.88,
    (Format.JPG, Effort.BALANCED): 0.90,
    (Format.WEBP, Effort.SMALL): 0.94,
    (Format.WEBP, Effort.BALANCED): 0.97,
    (Format.PNG, Effort.BALANCED): 0.97,
    (Format.AVIF, Effort.BALANCED): 0.62,
}
"""The share of the older server's bytes at the same look that is to be had, at most."""

OF_GRAPHICS = {(Format.JPG, Effort.BALANCED): 0.87}
"""As `TO_REACH`, where it is another share for graphics."""


@dataclass(frozen=True, slots=True)
class Point:
    """One file."""

    bytes: int
    look: float
    """SSIMULACRA2; nan if it was not measured."""
    milliseconds: float
    """CPU time it took to make."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What an encoder makes of one picture at several qualities."""

    points: dict[int, Point]
    chosen: int
    """The quality that the older server used."""

    @property
    def own(self) -> Point | None:
        """What the older server made of the picture, None if it gave up."""
        return self.points.get(self.chosen)

    def bytes_at(self, look: float) -> float | None:
        """The bytes at this look, on the curve between its points; None beyond its ends."""
        points = sorted((point.look, log(point.bytes)) for point in self.points.values())
        looks = [point[0] for point in points]
        if not points or not looks[0] <= look <= looks[-1]:
            return None
        at = min(max(1, bisect(looks, look)), len(points) - 1)
        (low, small), (high, large) = points[at - 1], points[at]
        if high == low:
            return exp(small)
        return exp(small + (large - small) * (look - low) / (high - low))


@dataclass(slots=True)
class Sheet:
    """All that was measured of one set of pictures, by the name of each."""

    older: dict[tuple[Format, str], Curve] = field(default_factory=dict)
    ours: dict[tuple[Format, Effort, str], Point] = field(default_factory=dict)


def breaches(sheet: Sheet, formats: Sequence[Format]) -> str:
    """How often a higher effort gave more bytes than the one below it, by format."""
    counts = []
    for format in formats:
        names = {name for kind, _, name in sheet.ours if kind is format}
        larger = sum(
            sheet.ours[format, higher, name].bytes > sheet.ours[format, lower, name].bytes
            for name in names
            for lower, higher in pairwise(Effort)
        )
        counts.append(f"{format} {larger} of {len(names)}")
    return ", ".join(counts)


def bytes_table(sheet: Sheet, formats: Sequence[Format], set_name: str = "") -> str:
    """A line for the older server and for each effort, format by format.

    Args:
        set_name: of the pictures; graphics are to reach other figures.
    """
    to_reach = TO_REACH | OF_GRAPHICS if set_name == "graphics" else TO_REACH
    rows: list[tuple[str, ...]] = [
        ("", "", "", "SSIMULACRA2", "", "of the older bytes", "", "", "CPU", ""),
        (
            *("format", "effort", "KB", "look", "± older"),
            *("same setting", "same look", "to reach"),
            *("ms", "× fast"),
        ),
    ]
    for format in formats:
        against = REFERENCE.get(format, format)
        names = [
            name
            for (kind, name), curve in sheet.older.items()
            if kind is against and curve.own is not None
        ]
        curves = [sheet.older[against, name] for name in names]
        own = [curve.own for curve in curves if curve.own is not None]
        if not own:
            continue
        label = "older" if against is format else f"older {against}"
        rows.append(
            (
                *(format, label, f"{sum(point.bytes for point in own) / 1024:.0f}"),
                *(f"{mean(point.look for point in own):.2f}", "", "1.000", "1.000", ""),
                *(f"{mean(point.milliseconds for point in own):.0f}", ""),
            )
        )
        fast = mean(sheet.ours[format, Effort.FAST, name].milliseconds for name in names)
        for effort in Effort:
            points = [sheet.ours[format, effort, name] for name in names]
            took = mean(point.milliseconds for point in points)
            same = [
                point.bytes / older
                for point, curve in zip(points, curves, strict=True)
                if (older := curve.bytes_at(point.look))
            ]
            reach = to_reach.get((format, effort))
            rows.append(
                (
                    *("", effort, f"{sum(point.bytes for point in points) / 1024:.0f}"),
                    f"{mean(point.look for point in points):.2f}",
                    f"{mean(p.look - o.look for p, o in zip(points, own, strict=True)):+.2f}",
                    _mean(p.bytes / o.bytes for p, o in zip(points, own, strict=True)),
                    f"{_mean(same)} ({len(same)})" if len(same) < len(points) else _mean(same),
                    f"{reach:.2f}" if reach else "",
                    f"{took:.0f}",
                    f"{took / fast:.1f}",
                )
            )
    return format_table(rows)


def _mean(ratios: Iterable[float]) -> str:
    values = list(ratios)
    return f"{geometric_mean(values):.3f}" if values else "–"

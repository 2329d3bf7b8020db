"""The table of `script/bench quality`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, median, pstdev

from bench.table import format_table
from imaging.formats import Format
from imaging.options import Auto

NEAR, FAR = 1.5, 4.0
"""Points from the target: nine of ten pictures are to be within the first, and no picture is to be
more than the second below it."""

LEAST, MOST = 66, 97
"""The fixed numbers of which one spoils as few pictures."""

SPREAD, BYTES = 1.2, 0.93
"""The standard deviation of the looks, and the bytes over those of the fixed number that has the
same share of pictures below the target less `NEAR`, at the most."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One picture."""

    bytes: int
    look: float
    """SSIMULACRA2 of the whole."""
    quality: int
    cpu: float
    """Over that of a fixed number."""
    fixed: Callable[[int], tuple[int, float]]
    """Bytes and look of a fixed number."""
    seen: Callable[[int], float]
    """Its look by what takes less time, if there is such."""
    by_package: float | None = None
    """The look of the result by the reference package, where `look` is not by it."""


def quality_table(format: Format, auto: Auto, rows: Sequence[Measured], count: int) -> str:
    """What is to be reached, and what was."""
    from imaging.auto.search import LOOKS  # loads libvips, whose threads are chosen before

    target = LOOKS[auto]
    apart = [row.look - target for row in rows]
    at_80 = [row.fixed(80)[1] for row in rows]
    low = _spoilt([row.look for row in rows], target)
    ours = sum(row.bytes for row in rows)
    number = equal_number(rows, target)
    fixed = [row.fixed(number) for row in rows]
    spoilt = _spoilt([look for _, look in fixed], target)
    within = sum(abs(one) <= NEAR for one in apart) / len(apart)
    table = [
        (f"{format}, q={auto}, target {target:g}", "", "to reach"),
        ("pictures with a quality to choose", f"{len(rows)} of {count}", ""),
        (f"within {NEAR} of the target", f"{within:.2f}", "0.90"),
        ("lowest", f"{min(apart):+.1f}", f"{-FAR:+.1f}"),
        ("mean", f"{mean(apart):+.2f}", ""),
        ("standard deviation", f"{pstdev(apart):.2f}", f"{SPREAD:.2f}"),
        ("standard deviation at a fixed 80", f"{pstdev(at_80):.2f}", ""),
        (f"below the target by more than {NEAR}", f"{low:.2f}", ""),
        (f"the same at a fixed {number}", f"{spoilt:.2f}", ""),
        (
            f"bytes over those of a fixed {number}",
            f"{ours / sum(size for size, _ in fixed):.3f}",
            f"{BYTES:.3f}",
        ),
        ("CPU over a fixed 80, median", f"{median(row.cpu for row in rows):.2f}", ""),
        ("qualities", f"{min(r.quality for r in rows)} to {max(r.quality for r in rows)}", ""),
    ]
    checked = [row.look - row.by_package for row in rows if row.by_package is not None]
    if checked:
        name = f"less the package's look, mean and most of {len(checked)}"
        table.append((name, f"{mean(checked):+.2f}, {max(checked, key=abs):+.2f}", ""))
    return format_table(table)


def equal_number(rows: Sequence[Measured], target: float) -> int:
    """The least fixed number that spoils no larger share of the pictures than is spoilt: that is,
    looks worse than the target by more than `NEAR`, as the engine sees it."""
    share = _spoilt([row.look for row in rows], target)
    low, high = LEAST, MOST
    while low < high:
        middle = (low + high) // 2
        if _spoilt([row.seen(middle) for row in rows], target) <= share:
            high = middle
        else:
            low = middle + 1
    return low


def _spoilt(looks: Sequence[float], target: float) -> float:
    return sum(look < target - NEAR for look in looks) / len(looks)

"""What was measured, a line for each figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.table import format_table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, over all repeats."""

    what: str
    values: Sequence[float]
    """One for each repeat."""
    write: Callable[[float], str]
    """How a value is written."""
    least: float | None = None
    """What is to be reached at least."""
    most: float | None = None
    """What it is to be at most."""
    note: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return median(self.values)

    @property
    def reached(self) -> bool | None:
        """Whether it is what it is to be; None if there is nothing to reach."""
        if self.least is not None:
            return self.value >= self.least
        return None if self.most is None else self.value <= self.most


def ratio(value: float) -> str:
    """As `1.05`."""
    return f"{value:.2f}"


def milliseconds(value: float) -> str:
    """Seconds, written as milliseconds."""
    return f"{value * 1000:.1f} ms" if value < 0.1 else f"{value * 1000:,.0f} ms"


def seconds(value: float) -> str:
    """As `12.3 s`."""
    return f"{value:.1f} s"


def megabytes(value: float) -> str:
    """Bytes, written as megabytes of 1,000,000."""
    return f"{value / 1e6:.1f} MB"


def plain_bytes(value: float) -> str:
    """As `2,134 B`."""
    return f"{value:,.0f} B"


def per_second(value: float) -> str:
    """As `12.3/s`."""
    return f"{value:.1f}/s"


def figures_table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows: list[tuple[str, ...]] = [("", "measured", "to reach", "spread", "", "")]
    for figure in figures:
        goal = ""
        if figure.least is not None:
            goal = f"≥ {figure.write(figure.least)}"
        elif figure.most is not None:
            goal = f"≤ {figure.write(figure.most)}"
        spread = ""
        if len(figure.values) > 1:
            spread = f"{figure.write(min(figure.values))}–{figure.write(max(figure.values))}"
        verdict = {True: "reached", False: "MISSED", None: ""}[figure.reached]
        rows.append((figure.what, figure.write(figure.value), goal, spread, verdict, figure.note))
    return format_table(rows)

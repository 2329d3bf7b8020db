"""What `script/bench scale` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bench.scale.fit import FLOOR, Difference, difference, fitted, plain_at, with_table
from bench.scale.measured import PROMISED, Looks
from bench.scale.pictures import Kind
from bench.table import format_table
from imaging.write.scale import Scale

if TYPE_CHECKING:
    from bench.scale.ways import Way

NEAR = 0.5
"""How far from 0 the mean is to be, at the most."""

HELD_OUT = "held out"
_COLUMNS = ("mean", "±", "sd", "worst")


def engine_table(name: str, pictures: Sequence[Looks]) -> str:
    """How far from a plain JPEG what the engine writes is, at each quality: of the photographs that
    tables are fitted to, of those held out, of both, and of graphics."""
    photographs = [one for one in pictures if one.kind is Kind.PHOTOGRAPH]
    groups = {
        "fitted": [one for one in photographs if not one.held_out],
        HELD_OUT: [one for one in photographs if one.held_out],
        "photographs": photographs,
        "graphics": [one for one in pictures if one.kind is Kind.GRAPHIC],
    }
    rows: list[tuple[str, ...]] = [
        (name, *(cell for group in groups for cell in (group, "", "", "", ""))),
        ("quality", *(cell for _ in groups for cell in ("n", *_COLUMNS))),
    ]
    beyond = []
    for quality in PROMISED:
        cells = [str(quality)]
        for label, group in groups.items():
            known = [one for one in group if quality in one.engine.get(name, {})]
            apart = [
                max(FLOOR, one.engine[name][quality]) - plain_at(one, quality) for one in known
            ]
            found = difference(apart)
            cells += [str(len(apart)), *_cells(found)]
            if label == HELD_OUT and found and abs(found.mean) > NEAR:
                beyond.append(f"{quality} ({found.mean:+.2f})")
        rows.append(tuple(cells))
    return f"{format_table(rows)}\nHeld out beyond {NEAR}: {', '.join(beyond) or 'none'}"


def way_table(way: Way, pictures: Sequence[Looks]) -> str:
    """The table as it stands, that which fits, and how far from a plain JPEG photographs are with
    each."""
    known = [one for one in pictures if way.name in one.ways]
    to_fit = [one for one in known if not one.held_out]
    if len(to_fit) < 2:
        return f"{way.name}: too few photographs"
    found = fitted(way, to_fit)
    groups = {
        "as it stands": (way.scale, known),
        "fitted": (found, to_fit),
        HELD_OUT: (found, [one for one in known if one.held_out]),
    }
    rows: list[tuple[str, ...]] = [
        (way.name, "", *(cell for group in groups for cell in (group, "", "", ""))),
        ("quality", "number", *(cell for _ in groups for cell in _COLUMNS)),
    ]
    numbers = dict(found)
    for quality in way.points:
        cells = [str(quality), f"{numbers[quality]:g}"]
        for scale, group in groups.values():
            apart = with_table(way, scale, group, quality)
            cells += _cells(difference(apart))
        rows.append(tuple(cells))
    return f"{format_table(rows)}\n{_counts(to_fit, groups[HELD_OUT][1])}\n{_written(found)}"


def _cells(apart: Difference | None) -> Iterable[str]:
    if apart is None:
        return ("",) * len(_COLUMNS)
    return f"{apart.mean:+.2f}", f"{apart.error:.2f}", f"{apart.spread:.1f}", f"{apart.worst:+.1f}"


def _counts(to_fit: Sequence[Looks], held_out: Sequence[Looks]) -> str:
    return f"{len(to_fit)} photographs fitted, {len(held_out)} held out"


def _written(scale: Scale) -> str:
    return ", ".join(f"({quality:g}, {number:g})" for quality, number in scale)

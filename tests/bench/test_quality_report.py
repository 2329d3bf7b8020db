"""The table of `script/bench quality`."""

from __future__ import annotations

from bench.quality_report import Measured, quality_table
from imaging.formats import Format
from imaging.options import Auto


def _row(look: float, size: int, fixed: dict[int, tuple[int, float]]) -> Measured:
    return Measured(size, look, 70, 1.5, fixed)


def test_bytes_are_held_against_the_number_that_spoils_as_many() -> None:
    easy, hard = {70: (90, 80.0), 80: (110, 83.0)}, {70: (100, 70.0), 80: (200, 78.0)}
    rows = [_row(77.5, 80, easy), _row(76.5, 160, hard)]
    lines = [line.split() for line in quality_table(Format.JPG, Auto.AUTO, rows, 3).splitlines()]
    found = {" ".join(line[:-2]): line[-2] for line in lines if len(line) > 2}
    assert found["within 1.5 of the target"] == "1.00"
    assert found["bytes over those of a fixed 80"] == "0.774"
    assert any(line[-3:] == ["2", "of", "3"] for line in lines)


def test_a_picture_that_misses_is_seen() -> None:
    fixed = {80: (100, 77.0)}
    table = quality_table(Format.JPG, Auto.AUTO, [_row(72.0, 50, fixed), _row(77.0, 50, fixed)], 2)
    assert "-5.0" in table
    assert "0.50" in table

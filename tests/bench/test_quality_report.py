"""The table of `script/bench quality`."""

from __future__ import annotations

from bench.quality_report import Measured, quality_table
from imaging.formats import Format
from imaging.options import Auto


def _row(look: float, size: int, apart: float) -> Measured:
    """A picture whose fixed number n has the look n less `apart`, and 2 n bytes."""

    def seen(number: int) -> float:
        return number - apart

    return Measured(size, look, 70, 1.5, lambda number: (2 * number, seen(number)), seen)


def test_bytes_are_held_against_the_least_number_that_spoils_as_many() -> None:
    rows = [_row(77.5, 80, -3), _row(76.5, 160, 5)]
    lines = [line.split() for line in quality_table(Format.JPG, Auto.AUTO, rows, 3).splitlines()]
    found = {" ".join(line[:-2]): line[-2] for line in lines if len(line) > 2}
    assert found["within 1.5 of the target"] == "1.00"
    # The second looks right from 80.5 on.
    assert found["bytes over those of a fixed 81"] == "0.741"
    assert any(line[-3:] == ["2", "of", "3"] for line in lines)


def test_a_picture_that_misses_is_seen() -> None:
    table = quality_table(Format.JPG, Auto.AUTO, [_row(72.0, 50, 3), _row(77.0, 50, 3)], 2)
    assert "-5.0" in table
    assert "0.50" in table

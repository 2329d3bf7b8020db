"""`script/bench looks`: how near the engine's SSIMULACRA2 is to that of the reference package."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import main
from bench.looks import Seen, looks_table
from bench.scale.pictures import Kind
from tests.imaging.samples import photo
from tests.pictures import encoded


def test_the_share_that_is_near_and_the_farthest_by_width() -> None:
    seen = [
        Seen(300, 70, {"pillow": 70.3, "vszip": 72}),
        Seen(300, 70, {"pillow": 69.8, "vszip": 70.1}),
        Seen(700, 80, {"pillow": 80.1, "vszip": 79.4}),
    ]
    rows = [line.split() for line in looks_table(seen).splitlines()[2:]]
    assert rows == [
        ["0", "to", "449", "2", "1.00", "0.25", "+0.30", "0.50", "0.95", "+2.00"],
        ["600", "to", "9999", "1", "1.00", "0.00", "+0.10", "0.00", "0.00", "-0.60"],
        ["all", "3", "1.00", "0.21", "+0.30", "0.33", "1.10", "+2.00"],
    ]


def test_it_measures_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder / Kind.PHOTOGRAPH / "some"
    place.mkdir(parents=True)
    (place / "one.png").write_bytes(encoded(photo(300, 260), "PNG"))
    assert main(["looks", "--pictures", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("1 pictures")
    assert "the engine" in printed

"""What `script/bench quality` prints."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import pytest

from bench import quality
from bench.errors import BenchError
from bench.pictures import shipped
from bench.quality_report import Measured, quality_table
from imaging.formats import Format
from imaging.look import by_vszip
from imaging.options import Auto
from tests.pictures import encoded, opened


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


def test_the_table_says_how_far_another_look_is_from_that_of_the_package() -> None:
    rows = [
        replace(_row(77.5, 80, -3), by_package=77.0),
        replace(_row(76.0, 80, -3), by_package=76.3),
        _row(77.0, 80, -3),
    ]
    line = quality_table(Format.JPG, Auto.AUTO, rows, 3).splitlines()[-1]
    assert line.split() == [
        "less",
        "the",
        "package's",
        "look,",
        "mean",
        "and",
        "most",
        "of",
        "2",
        "+0.10,",
        "+0.50",
    ]
    assert "package" not in quality_table(Format.JPG, Auto.AUTO, rows[2:], 1)


def _quality(folder: Path, *arguments: str) -> None:
    """`script/bench quality` with a picture in the folder."""
    image = opened(shipped(["chelsea.png"])[0].read_bytes()).convert("RGB")
    (folder / "cat.png").write_bytes(encoded(image.crop((60, 40, 300, 280)), "PNG"))
    parser = ArgumentParser()
    quality.register(parser.add_subparsers())
    given = ["quality", "--pictures", str(folder), "--formats", "jpg", *arguments]
    quality.run(parser.parse_args(given))


@pytest.mark.skipif(not by_vszip.is_installed(), reason="vszip has no wheel for this Python")
def test_results_may_be_looked_at_by_vszip_beside_the_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _quality(tmp_path, "--looks-by", "vszip")
    told = capsys.readouterr().out
    assert "of the results by vszip" in told
    assert "mean and most of 1 " in told


@pytest.mark.skipif(by_vszip.is_installed(), reason="vszip is installed")
def test_vszip_is_asked_for_in_vain_where_it_has_no_wheel(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="vszip is not installed"):
        _quality(tmp_path, "--looks-by", "vszip")

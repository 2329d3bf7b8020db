"""`script/bench fleet`, with sizes that show that it measures and not what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.fleet.report import Figure, figures_table, plain_bytes, ratio, seconds
from tests.bench.command import TIMEOUT, bench, refused

pytestmark = TIMEOUT


@pytest.mark.parametrize(
    ("part", "figures"),
    [
        ("waiting", ["upload accepted, 100 waiting", "status answered", "a waiting picture"]),
        (
            "sockets",
            [
                "memory of 10 sockets that wait",
                "10 sockets that follow",
                "told who follows",
                "memory of 10 event streams .* 0 open after the last event",
                "told by an event stream",
                r"told .* at \d+ a second",
                "told .* in one instant",
                "idle",
            ],
        ),
        (
            "scaling",
            [
                *(f"{name} / one, {format}" for format in ("jpg", "webp") for name in ("two.*",)),
                *(f"one worker, {format}" for format in ("jpg", "webp", "png", "avif")),
                "a worker",
                "its decoder",
            ],
        ),
        (
            "cleanup",
            ["cleanup of 500 of 1,000 pictures", "pictures done meanwhile", "longest command"],
        ),
        ("idle", ["Redis commands for each worker process", "memory of everything in one"]),
    ],
)
def test_each_part_prints_its_figures_and_leaves_nothing(
    folder: Path, part: str, figures: list[str]
) -> None:
    ended = bench(folder, "fleet", "--only", part, "--scale", "0.01", "--repeat", "1")
    assert ended.returncode == 0, ended.stderr
    for figure in figures:
        assert re.search(rf"^.*{figure}.* \d", ended.stdout, re.MULTILINE), ended.stdout
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("wrong", [["--only", "nothing"], ["--scale", "2"], ["--repeat", "0"]])
def test_a_wrong_argument_is_told(wrong: list[str]) -> None:
    assert wrong[0] in refused("fleet", *wrong)


def test_a_figure_is_the_median_of_its_repeats_and_says_whether_it_is_reached() -> None:
    figures = [
        Figure("high", [1.0, 1.9, 2.0], ratio, least=1.85),
        Figure("low", [1.0, 1.8, 2.0], ratio, least=1.85),
        Figure("small", [2999.0], plain_bytes, most=3000),
        Figure("large", [3001.0], plain_bytes, most=3000),
        Figure("open", [1.0], seconds),
    ]
    assert [figure.reached for figure in figures] == [True, False, True, False, None]
    lines = figures_table(figures).splitlines()
    assert [line.split()[:4] for line in lines[1:3]] == [
        ["high", "1.90", "≥", "1.85"],
        ["low", "1.80", "≥", "1.85"],
    ]
    assert "1.00–2.00" in lines[1]
    assert ["MISSED" in line for line in lines[1:]] == [False, True, False, True, False]

"""`script/bench web`, with sizes that show that it measures and not what."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.launch import ROOT
from bench.web.drive import Driver
from bench.web.talk import get_request
from bench.web.trivial import TrivialServer
from tests.bench.command import TIMEOUT, bench, refused

pytestmark = TIMEOUT

LITTLE = ("--scale", "0.02", "--repeat", "1", "--workers", "1")
"""The arguments of a measurement that is over soon."""

FIGURES = {
    "client": ["answers small", "answers of 260 KB"],
    "bare": ["a bare Sanic route"],
    "about": ["/"],
    "status": ["/status"],
    "download": ["/download of 260 KB"],
    "unchanged": ["/download, 304"],
    "repeat": ["repeat upload of 5. KB"],
    "idle": ["by socket, p50", "by socket, p99 / p50", "by HTTP, p50", "by HTTP, p99 / p50"],
    "tiny": ["at a time", "at a time, upload answered, p50"],
    "floor": [
        f"{what}, {figure}"
        for what in ("the service", "plain RQ", "plain RQ that forks")
        for figure in ("48 × 48, 16 at a time", "32 × 32 to done by HTTP, p50")
    ],
    "load": [
        *(f"under full load, p{share}" for share in (50, 99)),
        *(
            f"CPU of a picture{of}"
            for of in (" outside the decoder", ", web", ", worker", ", Redis")
        ),
    ],
}


def test_all_parts_print_their_figures_and_leave_nothing(folder: Path) -> None:
    ended = bench(folder, "web", *LITTLE)
    assert ended.returncode == 0, ended.stderr
    for figure in (figure for figures in FIGURES.values() for figure in figures):
        assert re.search(rf"^.*{figure} +[\d,.]+", ended.stdout, re.MULTILINE), ended.stdout
    assert list(folder.iterdir()) == []


def test_only_the_parts_that_are_named_are_measured(folder: Path) -> None:
    ended = bench(folder, "web", *LITTLE, "--only", "status,client")
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines()[3:] if line]
    assert [line.split("  ")[0] for line in lines] == [
        "/status",
        "the client alone, answers small",
        "the client alone, answers of 260 KB",
    ]


@pytest.mark.skipif(not (ROOT / ".venv-dev").exists(), reason="another clone has an environment")
def test_answers_are_measured_beside_another_clone(folder: Path) -> None:
    other = folder / "other"
    other.symlink_to(ROOT)
    arguments = ("--only", "about,repeat,load", "--scale", "0.2", "--repeat", "2")
    ended = bench(folder, "web", *arguments, "--beside", str(other))
    assert ended.returncode == 0, ended.stderr
    lines = [line for line in ended.stdout.splitlines()[3:] if line]
    assert [re.sub(r"  +.*", "", line) for line in lines] == [
        f"{what}, CPU of the web, {where}"
        for what in ("/", "repeat upload of 50 KB")
        for where in ("here", "there", "here / there")
    ]
    other.unlink()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [["--only", "nothing"], ["--scale", "2"], ["--repeat", "0"], ["--beside", "/nowhere"]],
)
def test_a_wrong_argument_is_told(wrong: list[str]) -> None:
    assert wrong[0] in refused("web", *wrong)


def test_an_answer_of_another_status_is_no_answer() -> None:
    with Driver() as driver, TrivialServer(100_000) as server:
        assert driver.run(server.port, [get_request("/")], 200, 0.1).answers > 0
        with pytest.raises(BenchError, match=r"not HTTP/1.1 304"):
            driver.run(server.port, [get_request("/")], 304, 0.1)

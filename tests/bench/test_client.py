"""`script/bench client`, with sizes that show that it measures and not what."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench.command import bench, refused


def test_the_command_is_measured_against_the_load_driver(folder: Path) -> None:
    ended = bench(folder, "client", "--count", "3", "--jobs", "2")
    assert ended.returncode == 0, ended.stderr
    assert re.search(r"^3 pictures of 0\.\d\d MB as webp", ended.stdout, re.MULTILINE)
    assert re.search(r"^the load driver +[\d.]+/s", ended.stdout, re.MULTILINE), ended.stdout
    last = r"^tinyimage / the load driver +\d\.\d\d +≥ 0\.95 .*(reached|MISSED)$"
    assert re.search(last, ended.stdout, re.MULTILINE), ended.stdout
    for whose in ("the load driver", "tinyimage", "the service"):
        assert re.search(rf"^CPU of a picture, {whose} +[\d,.]+ ms", ended.stdout, re.MULTILINE)
    assert list(folder.iterdir()) == []


def test_a_wrong_argument_is_told() -> None:
    assert "--count" in refused("client", "--count", "0")

"""Each example of README.md does what it says."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from tinyimage_client.command.main import command

from bench.launch import ROOT
from client.tests.command import SOURCES
from tests.pictures import opened, photograph, unique
from tests.service import Service, until

README = (ROOT / "client" / "README.md").read_text()

EXAMPLES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

RESULTS: dict[str, set[str]] = {
    "tinyimage rocket.jpg photos": {
        "rocket-tiny.webp",
        "photos/coffee-tiny.webp",
        "photos/beach/chelsea-tiny.webp",
        "photos/beach/rocket-tiny.webp",
    },
    "tinyimage photos -o small": {
        "small/coffee.avif",
        "small/beach/chelsea.avif",
        "small/beach/rocket.avif",
    },
    "tinyimage photos --in-place": set(),
    "tinyimage 'photos/**/*.jpg'": {"thumbs/rocket_thumb.webp"},
    "tinyimage photos --dry-run": set(),
    "tinyimage - ": {"rocket.png"},
    "tinyimage photos --json": {
        "photos/coffee-tiny.webp",
        "photos/beach/chelsea-tiny.webp",
        "photos/beach/rocket-tiny.webp",
        "progress.txt",
    },
    "TINYIMAGE_API_KEY=secret": {"rocket-tiny.webp"},
    "tinyimage rocket.jpg --key-file": {"rocket-tiny.webp"},
}
"""The files that an example adds, by its beginning."""

ELSEWHERE = ("pipx install", "tinyimage --watch", "keyring set", 'eval "$(_TINYIMAGE_COMPLETE')
"""Examples with tests of their own, below, in test_package.py and test_command.py."""


@cache
def _half(name: str, format: str) -> bytes:
    """A photograph of half its width, which is converted in a quarter of the time."""
    buffer = io.BytesIO()
    opened(photograph(name)).reduce(2).save(buffer, format, quality=92)
    return buffer.getvalue()


@pytest.fixture
def album(folder: Path, server: Service, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files of the examples, and the command on the path."""
    names = (
        "rocket.jpg",
        "photos/coffee.png",
        "photos/beach/rocket.jpg",
        "photos/beach/chelsea.png",
    )
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(unique(_half(path.stem, "JPEG" if path.suffix == ".jpg" else "PNG")))
    (folder / "key.txt").write_text("secret\n")
    (folder / "inbox").mkdir()
    programs = folder.parent / "bin"
    programs.mkdir()
    program = programs / "tinyimage"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tinyimage_client "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(SOURCES))
    monkeypatch.setenv("TINYIMAGE_SERVER", server.url)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_all_examples_are_known() -> None:
    tested = [line for line in EXAMPLES if not line.startswith(ELSEWHERE)]
    assert len(tested) == len(RESULTS)
    assert all(any(line.startswith(name) for line in tested) for name in RESULTS)


@pytest.mark.parametrize("beginning", RESULTS)
def test_an_example_does_what_it_says(album: Path, beginning: str) -> None:
    (example,) = [line for line in EXAMPLES if line.startswith(beginning)]
    before = files(album)
    ended = subprocess.run(
        ["bash", "-c", example], capture_output=True, text=True, check=False, timeout=60
    )
    after = files(album)
    assert ended.returncode == 0, ended.stderr
    assert set(after) - set(before) == RESULTS[beginning]
    changed = {name for name, data in before.items() if after[name] != data}
    if "--in-place" in example:
        assert changed == {name for name in before if name.startswith("photos/")}
    else:
        assert changed == set()
    for name in RESULTS[beginning] - {"progress.txt"}:
        image = opened(after[name])
        assert str(image.format).lower() == name.rpartition(".")[2]
        if "--fit cover" in example:
            assert image.size == (200, 200)
    if "--dry-run" in example:
        assert "nothing is written" in ended.stderr
    if "--json" in example:
        assert ended.stdout == "all is well\n"


def test_the_example_of_a_watched_folder(album: Path) -> None:
    (example,) = [line for line in EXAMPLES if line.startswith("tinyimage --watch")]
    process = subprocess.Popen(["bash", "-c", f"exec {example}"], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == "watching inbox\n"
        (album / "inbox" / "new.jpg").write_bytes(unique(photograph("rocket")))
        until((album / "outbox" / "new.webp").exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    finally:
        process.kill()


def test_a_shell_completes_options_and_their_values(album: Path) -> None:
    (line,) = [line for line in EXAMPLES if line.startswith("eval")]

    def completed(*words: str) -> set[str]:
        # What bash does when Tab is pressed behind the last word.
        typed = f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}"
        asks = "_tinyimage_completion tinyimage; printf '%s\\n' \"${COMPREPLY[@]}\""
        script = f"{line}\n{typed}\n{asks}"
        return set(subprocess.check_output(["bash", "-c", script], text=True).split())

    assert completed("tinyimage", "--over") == {"--overwrite"}
    assert completed("tinyimage", "photos", "--overwrite", "") == {"all", "never", "bigger"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_names_of_files(album: Path, shell: str) -> None:
    asked = {"_TINYIMAGE_COMPLETE": f"{shell}_complete", "COMP_CWORD": "1"}
    asked["COMP_WORDS"] = "tinyimage pho"
    if shell == "fish":
        asked["COMP_CWORD"] = "pho"
    environment = os.environ | asked
    told = subprocess.check_output(["tinyimage"], text=True, env=environment)
    assert re.split(r"[\n,]", told)[0] == "file"  # the shell finds them itself
    if program := shutil.which(shell) if shell == "fish" else None:
        (line,) = re.findall(r"for fish `(.*?)`", README)
        asks = [program, "-c", f"{line}; complete -C 'tinyimage pho'"]
        assert subprocess.check_output(asks, text=True).split() == ["photos/"]


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_runs(album: Path, server: Service, number: int) -> None:
    program = PROGRAMS[number].replace("http://localhost:8080", server.url)
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    expected = ["(\\d+ ){2}[\\d.]+\nnot_an_image .*\n", "([0-9a-f]{32} webp \\d+\n){2}"][number]
    assert re.fullmatch(expected, ended.stdout)
    assert (album / "rocket.avif").exists() == (number == 0)


def test_the_table_has_all_options() -> None:
    table = README.partition("| Option |")[2].partition("\n\n")[0]
    told = {
        name
        for line in table.splitlines()
        for name in re.findall(
            r"`(--?[a-z-]+)`", line.split("|")[1] if line.startswith("|") else ""
        )
    }
    options = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in parameter.opts
    }
    assert told == options - {"--version"}

"""Where things are: as docs/architecture.md draws it, and each in one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch

import pytest

from bench.launch import ROOT

ROOMS = ("app", "imaging", "workers")

MOST_LINES = 250
"""Of a module of a format (issue 15)."""

_NAMED = re.compile(r"( {4,})((?:\S+(?:\.\w+|/) )*\S+(?:\.\w+|/))(?: |$)")
"""A line of the tree: how far it is indented, and the files or folders that it begins with."""


def _files(*endings: str) -> set[str]:
    """The files of the rooms with these endings, relative to the repository."""
    return {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.suffix in endings and "swagger" not in path.parts
    }


def _drawn() -> Iterator[str]:
    """What the tree names, with NAME as *: files, and folders with a slash at their end."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders: list[tuple[int, str]] = []
    for line in text.partition("\n## Rooms\n")[2].partition("\nImports go one way")[0].splitlines():
        found = _NAMED.match(line)
        if not found:
            continue
        indent, names = len(found[1]), found[2].replace("NAME", "*").split()
        folders = [(at, folder) for at, folder in folders if at < indent]
        above = folders[-1][1] if folders else ""
        yield from (above + name for name in names)
        if len(names) == 1 and names[0].endswith("/"):
            folders.append((indent, above + names[0]))


def test_the_tree_of_the_architecture_names_each_module_and_nothing_else() -> None:
    drawn = [name for name in _drawn() if name.startswith(ROOMS)]
    assert len(drawn) == len(set(drawn))
    modules = {name for name in _files(".py") if not name.endswith("__init__.py")}
    missing = {name for name in modules if not any(fnmatch(name, each) for each in drawn)}
    assert not missing
    gone = {name for name in drawn if not any(ROOT.glob(name.removesuffix("/")))}
    assert not gone


@pytest.mark.parametrize("word", ["avif", "gravity"])
def test_a_format_and_an_option_are_spelled_in_three_files_at_most(word: str) -> None:
    spelled = [
        name
        for name in _files(".py", ".js", ".html", ".json", ".md")
        if re.search(rf"\b{word}\b", (ROOT / name).read_text(encoding="utf-8"), re.IGNORECASE)
    ]
    assert 1 <= len(spelled) <= 3, spelled


def test_no_module_of_a_format_is_longer_than_one_sitting() -> None:
    lines = {
        name: len((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in _files(".py")
        if name.startswith("imaging/formats/")
    }
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}


def test_no_test_module_imports_from_another_or_types_a_key_of_rq() -> None:
    """Helpers are modules of their own; the keys are made in tests/rq_keys.py."""
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for folder in ("tests", "client/tests", "bench", "soak")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(
            r"^\s*(from|import) [\w. ]*\btest_"
            r"|\brq:(workers\b|(queue|job|worker|finished|failed):)",
            line,
        )
    ]
    assert not found

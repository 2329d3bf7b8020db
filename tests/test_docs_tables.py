"""The tables of the docs say what the code declares, and so does the changelog."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app import __version__
from app.core.errors import Where, errors_at
from bench.launch import ROOT
from script import tables


def test_every_table_is_as_the_code_declares() -> None:
    assert tables.main(["--check"]) == 0


def test_a_table_that_is_stale_is_told_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    for file, _ in tables.TABLES.values():
        old = (ROOT / file).read_text("utf-8")
        (tmp_path / file).write_text(old.replace("`limits.max_side`", "`limits.most`"), "utf-8")
    (tmp_path / "config.yaml").write_bytes((ROOT / "config.yaml").read_bytes())
    monkeypatch.setattr(tables, "ROOT", tmp_path)
    assert tables.main(["--check"]) == 1
    assert capsys.readouterr().err == "stale, run script/docs: docs/settings.md: settings\n"
    assert "`limits.most`" in (tmp_path / "docs/settings.md").read_text("utf-8")
    assert tables.main([]) == 0
    assert tables.main(["--check"]) == 0
    assert "`limits.max_side`" in (tmp_path / "docs/settings.md").read_text("utf-8")


def test_a_file_without_the_markers_is_no_silent_success() -> None:
    with pytest.raises(ValueError, match="no markers for the table settings"):
        tables.updated("# Settings\n", "settings", "")


def test_every_error_says_when_it_comes() -> None:
    for error in errors_at(~Where(0)):
        assert vars(error).get("__doc__"), error
        assert vars(error).get("example"), error


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[(\d[^]]*)\]", text, re.MULTILINE)
    assert versions[0] == __version__

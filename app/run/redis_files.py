"""The format of a Redis's files, and the servers that can read it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = "appendonlydir"
"""Where Redis 7 and Valkey keep an append-only file of several parts; older ones see nothing."""

_SNAPSHOT = re.compile(rb"(REDIS|VALKEY)(\d{3,4})")
"""How a snapshot begins, which may be the first part of an append-only file: five letters and four
digits, or six and three."""

_BASE = re.compile(r"^file (?P<name>\S+) .*\btype b\b", re.MULTILINE)
"""The line of the manifest that names the snapshot."""


class FilesError(Exception):
    """The files cannot be read. The message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Written:
    """The data in a folder."""

    parts: bool
    """Whether it is the folder of several files."""
    valkey: bool = False
    """Whether the snapshot is in a format that Valkey alone writes."""
    snapshot: int = 0
    """The version of the snapshot's format; 0 if there is none, but commands alone."""

    def __str__(self) -> str:
        """The server that wrote it."""
        if self.valkey:
            return f"Valkey 9 or newer (snapshot format {self.snapshot})"
        if self.snapshot:
            return f"a Redis of snapshot format {self.snapshot}"
        return "Redis 7 or newer" if self.parts else "Redis 6 or older"


def written_in(data_dir: Path) -> Written | None:
    """The append-only file in `data_dir`; None if the folder has none.

    Raises:
        FilesError: if it cannot be read.
    """
    try:
        folder = data_dir / FOLDER
        if folder.exists():
            return _look(_base(folder), parts=True)
        file = data_dir / "appendonly.aof"
        return _look(file, parts=False) if file.exists() else None
    except OSError as error:
        raise FilesError(f"the data folder {data_dir} cannot be read: {error.strerror}") from None


def _base(folder: Path) -> Path | None:
    for manifest in folder.glob("*.manifest"):
        if found := _BASE.search(manifest.read_text("utf-8", "replace")):
            return folder / found["name"]
    return None


def _look(file: Path | None, *, parts: bool) -> Written:
    if file is None or not file.exists():
        return Written(parts)
    with file.open("rb") as opened:
        found = _SNAPSHOT.match(opened.read(9))
    return Written(parts, found[1] == b"VALKEY", int(found[2])) if found else Written(parts)

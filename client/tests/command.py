"""The command, run as somebody runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from tinyimage_client.command.main import command

SOURCES = Path(__file__).resolve().parents[1] / "src"


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and what it said."""

    status: int
    out: bytes
    err: str

    @property
    def objects(self) -> dict[str, dict[str, Any]]:
        """With `--json`: what was said of each picture, by the name of its file."""
        told = [json.loads(line) for line in self.out.decode().splitlines()]
        return {Path(one["path"]).name: one for one in told}


def tinyimage(*arguments: str | os.PathLike[str], stdin: bytes = b"") -> Ended:
    """Run it in this process, to its end."""
    result = CliRunner().invoke(
        command, [os.fspath(argument) for argument in arguments], input=stdin
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout_bytes, result.stderr)


def started(*arguments: str | os.PathLike[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start it as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tinyimage_client", *arguments],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **options.pop("env", {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )

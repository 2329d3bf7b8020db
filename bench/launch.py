"""A server of our own, for a measurement or a test: its port, its environment, its start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from app.core.config.sources import PLATFORM_VARIABLES
from app.process.parent import PARENT_VARIABLE

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
READY_LINE = "TinyImage Server is ready at"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, port: int | None = None, **settings: object) -> dict[str, str]:
    """Our environment without what would point a server anywhere else than below `folder`.

    Args:
        settings: such as `UPLOAD__MAX_AGE=2`.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TINYIMAGE_") and name not in PLATFORM_VARIABLES
    }
    values: dict[str, object] = {
        "SERVER__HOST": HOST,
        "SERVER__OUTPUT_DIR": folder / "output",
        "REDIS__DATA_DIR": folder / "data",
        **settings,
    }
    if port is not None:
        values["SERVER__PORT"] = port
    return inherited | {f"TINYIMAGE_{name}": str(value) for name, value in values.items()}


def start(folder: Path, port: int, log: IO[bytes], **settings: object) -> subprocess.Popen[bytes]:
    """`python -m app` with its files in `folder` and a configuration that is empty but for the
    `settings`. It ends with us, however we end.

    Args:
        log: what it says is written there.
    """
    return start_in(ROOT, folder, port, log, settings)


def start_in(
    root: Path, folder: Path, port: int, log: IO[bytes], settings: Mapping[str, object]
) -> subprocess.Popen[bytes]:
    """As `start`, of the clone `root`: another than ours by the Python of its own `.venv-dev`."""
    python = sys.executable if root == ROOT else str(root / ".venv-dev/bin/python")
    config = folder / "config.yaml"
    config.write_text("{}\n")
    return subprocess.Popen(
        [python, "-m", "app", "--config", str(config)],
        cwd=root,
        env=environment(folder, port, **settings) | {PARENT_VARIABLE: str(os.getpid())},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )

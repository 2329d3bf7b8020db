"""`python -m tests.kept FOLDER [SECONDS]`: two processes that are kept and sleep, with one of two
files that their parent has open. SECONDS: how long the stop of one may be that of all."""

from __future__ import annotations

import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType

from app.process import keeper as keeping
from app.process.keeper import STOP_SIGNALS, Keeper, Role

SHARED, OWN = "shared", "own"
"""The names of the files."""


def _hold(path: Path) -> None:
    """Open more files than a new process has pipes, until garbage is collected."""
    files: list[object] = [path.open("w") for _ in range(8)]
    files.append(files)


def _sleep() -> None:
    while True:
        time.sleep(60)


def main() -> None:
    """Keep them until a signal."""
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for sig in STOP_SIGNALS:
        signal.signal(sig, stop)
    folder = Path(sys.argv[1])
    if len(sys.argv) > 2:
        keeping.STOP_SECONDS = float(sys.argv[2])
    with (folder / SHARED).open("w") as shared, (folder / OWN).open("w"):
        held = partial(_hold, folder / OWN)
        roles = [Role(name, f"tests.kept: {name}", _sleep, held) for name in ("one", "two")]
        keeper = Keeper(roles, inherit=(shared.fileno(),))
        keeper.start()
        while not stopping:
            keeper.restart_ended()
            time.sleep(0.05)
        keeper.stop(10)


if __name__ == "__main__":
    main()

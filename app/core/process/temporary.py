"""A folder for temporary files that does not outlive its owner for long."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

NEW_SECONDS = 60
"""A folder this new may be one whose owner has not locked it yet."""


class TemporaryFolder:
    """A folder of its own, for its owner alone, deleted when it is closed.

    Its owner holds a lock on it, so that whoever makes the next one can tell and delete the folders
    of owners that were killed.
    """

    def __init__(self, prefix: str) -> None:
        """
        Args:
            prefix: of its name, and of the names of those that are deleted if nobody holds them.
        """
        _sweep(prefix)
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Delete the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _sweep(prefix: str) -> None:
    """Delete the folders that nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            continue  # gone meanwhile, or another user's
        try:
            if os.fstat(lock).st_mtime < time.time() - NEW_SECONDS:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # its owner lives
        finally:
            os.close(lock)

"""A folder for temporary files that ends with its owner."""

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
    """A private temporary folder, deleted when it is closed.

    Its owner holds a lock on it, so that the maker of the next one can find and delete the folders
    of killed owners.
    """

    def __init__(self, prefix: str) -> None:
        """
        Args:
            prefix: of its name, and of the names of unlocked folders that are deleted.
        """
        _sweep(prefix)
        self.folder = Path(tempfile.mkdtemp(prefix=prefix))
        self._lock = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Delete the folder with its contents."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def _sweep(prefix: str) -> None:
    """Delete the unlocked folders."""
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

"""A process started by `python -m` that ends with the parent which its environment names."""

from __future__ import annotations

import os

from imaging.process.parent import die_with_parent

PARENT_VARIABLE = "TINYIMAGE_PARENT"
"""Process id of the parent that a process started by `python -m` is to end with."""


def follow_parent() -> None:
    """End with the parent that `PARENT_VARIABLE` names; without one nothing happens."""
    # Taken out of the environment: it is not meant for the processes started from here.
    if parent := os.environ.pop(PARENT_VARIABLE, None):
        die_with_parent(int(parent))

"""Memory that a process need not keep."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def settle_memory() -> None:
    """Reduce the memory of all modules imported so far.

    Their objects are never collected from now on: garbage collection would write to them, and
    each forked process would then have its own copy. glibc keeps memory that the imports have
    freed.
    """
    gc.collect()
    gc.freeze()
    release_memory()


def release_memory() -> None:
    """Give the kernel what is free of the memory that this process has."""
    with contextlib.suppress(AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)

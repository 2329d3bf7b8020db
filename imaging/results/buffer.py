"""Memory for the pixels that Pillow decodes, which serves one picture after the other.

Pillow clears its own for each picture, before the decoder writes all of it, and it is in pages of
4 KB, of which a photograph has thousands; here they are 2 MB, where the kernel has such.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator

LEAST, MOST = 2 * 1024**2, 64 * 1024**2
"""Bytes of a picture for which it is worth it, and of the largest for which it is kept."""

_kept: list[mmap.mmap] = []


@contextlib.contextmanager
def lent(size: int) -> Iterator[mmap.mmap | None]:
    """Memory for so many bytes, until the block ends; None if Pillow's own is as good.

    What an earlier picture has left is still in it.
    """
    memory = _taken() if LEAST <= size <= MOST else None
    try:
        yield memory
    finally:
        if memory is not None:
            _kept.append(memory)


def release() -> None:
    """Give it back to the kernel, once no picture is in it."""
    _kept.clear()


def _taken() -> mmap.mmap | None:
    if _kept:
        return _kept.pop()
    if not hasattr(mmap, "MADV_HUGEPAGE"):  # only Linux has it
        return None
    try:
        memory = mmap.mmap(-1, MOST, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:  # there is a limit on the address space
        return None
    with contextlib.suppress(OSError):  # a kernel without huge pages
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory

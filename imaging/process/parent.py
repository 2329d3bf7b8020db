"""A process that ends when its parent does, however the parent ends."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends when the parent is gone."""

_POLL_SECONDS = 1.0


def die_with_parent(parent: int, sig: signal.Signals = signal.SIGTERM) -> None:
    """Have this process sent `sig` when the process `parent`, which started it, has ended.

    On Linux the kernel does it; elsewhere a thread watches.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sig)
        if os.getppid() != parent:  # it had ended before we asked
            os.kill(os.getpid(), sig)
    else:
        threading.Thread(target=_watch, args=(parent, sig), daemon=True).start()


def _watch(parent: int, sig: signal.Signals) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), sig)

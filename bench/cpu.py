"""Where the CPU time goes, by kind of process."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterable

import psutil

CLIENT = "client"
OTHER = "other"
DECODER = "decoder"
POOL = "pool"
KINDS = {
    "app web": "web",
    "imaging.decoder": DECODER,
    "workers.scheduler": OTHER,
    "workers": "worker",
}
"""What follows `-m` on the command line of a process of the service."""


def cpu_of_service(pid: int) -> Counter[str]:
    """CPU milliseconds so far of the server `pid`, all it has started, and this process.

    The kinds are web, worker (takes jobs), decoder, redis, other (supervisor and
    scheduler), and client, which is this process. A decoder that was replaced counts on.
    """
    milliseconds = Counter({CLIENT: milliseconds_of(psutil.Process())})
    server = psutil.Process(pid)
    for process in (server, *server.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            kind = _kind(process.cmdline())
            milliseconds[kind] += milliseconds_of(process)
            if kind in ("worker", DECODER):
                milliseconds[DECODER] += milliseconds_of_ended(process)
    return milliseconds


def cpu_of_pool(pids: Iterable[int]) -> Counter[str]:
    """CPU milliseconds so far of the processes of bare libvips, and of this process."""
    return Counter(
        {
            CLIENT: milliseconds_of(psutil.Process()),
            POOL: sum(milliseconds_of(psutil.Process(pid)) for pid in pids),
        }
    )


def cpu_of_machine() -> int:
    """CPU milliseconds so far that all cores were not idle, whoever used or withheld them."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    guest = getattr(times, "guest", 0.0) + getattr(times, "guest_nice", 0.0)  # within user, nice
    return round(float(sum(times) - idle - guest) * 1000)


def milliseconds_of(process: psutil.Process) -> int:
    """CPU milliseconds so far of one process."""
    times = process.cpu_times()
    return round(float(times.user + times.system) * 1000)


def milliseconds_of_ended(process: psutil.Process) -> int:
    """As `milliseconds_of`, of the processes that it has started and waited for: a worker's are its
    decoders."""
    times = process.cpu_times()
    ended = getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0)
    return round(float(ended) * 1000)


def _kind(command: list[str]) -> str:
    if command and any(name in command[0] for name in ("redis-server", "valkey-server")):
        return "redis"
    module = " ".join(command).partition(" -m ")[2]
    return next((kind for name, kind in KINDS.items() if module.startswith(name)), OTHER)

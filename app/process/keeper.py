"""Processes forked from this one: kept running, told apart in `ps`, ended with it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import active_children, connection, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from setproctitle import setproctitle

from imaging.process.memory import settle_memory
from imaging.process.parent import die_with_parent

logger = logging.getLogger(__name__)

RESTART_SECONDS = 1.0
"""The least time from one start of a process to the next."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

STOPPED = (0, *(-sig for sig in STOP_SIGNALS))
"""The statuses of a process that was asked to stop: after its work, or before it caught the
signal."""

STOP_SECONDS = 1.0
"""How long after the end of such a process its parent may hear of the stop."""


@dataclass(slots=True)
class Stop:
    """The stop of one process, which may be that of all.

    Some platforms signal every process of a service, and may reach the parent last. A start then,
    and its error in the log, would tell an operator of a failure that there was not.
    """

    _seen: float | None = None

    def lasts(self, status: int) -> bool:
        """Whether the parent may yet hear of it. The time begins with the first call.

        Args:
            status: the one with which the process has ended.
        """
        if status not in STOPPED:
            return False
        now = time.monotonic()
        self._seen = now if self._seen is None else self._seen
        return now - self._seen < STOP_SECONDS


@dataclass(slots=True)
class Role:
    """The task of one process."""

    name: str
    """For the log."""
    module: str
    """Its name in `ps` after `python -m`."""
    run: Callable[[], int | None]
    """Its work, until a signal. Returns the status to exit with; None is 0."""
    ended: Callable[[], None] = lambda: None
    """Called in the parent after it has ended by itself."""
    process: BaseProcess | None = None
    started: float = float("-inf")
    stop: Stop = field(default_factory=Stop)

    @property
    def status(self) -> int | None:
        """The status with which it has ended, negative for a signal; None before that."""
        return None if self.process is None else self.process.exitcode

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.exitcode is None


class Keeper:
    """Starts processes, restarts ended ones, and stops all.

    They are forked: modules that this process has imported are in memory once for all. So it should
    import their shared modules, and have neither threads nor open connections.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        *,
        inherit: Collection[int] | None = None,
        own_groups: bool = False,
        pause: Callable[[int], float] = lambda status: RESTART_SECONDS,
    ) -> None:
        """
        Args:
            inherit: open descriptors that the processes keep, beside the standard ones; None for
                all.
            own_groups: give each a process group, so that Ctrl-C reaches only this process, and
                a process that does not end is killed with all its children.
            pause: the least seconds from the start of a process that has ended with this status to
                its next.
        """
        self.roles = list(roles)
        self._inherit = inherit
        self._own_groups = own_groups
        self._pause = pause

    def start(self) -> None:
        for role in self.roles:
            self.start_one(role)

    def restart_ended(self) -> None:
        """Restart ended processes after their pause."""
        for role in self.roles:
            status = role.status
            if status is None or time.monotonic() - role.started < self._pause(status):
                continue
            if role.stop.lasts(status):
                continue
            logger.error(
                "the %s process ended with status %d; starting it again", role.name, status
            )
            role.ended()
            self.start_one(role)

    def stop(self, seconds: float) -> None:
        """End all by SIGTERM, and kill the rest after that time."""
        left = [role for role in self.roles if role.running]
        for role in left:
            assert role.process is not None
            role.process.terminate()
        deadline = time.monotonic() + seconds
        while left and (remaining := deadline - time.monotonic()) > 0:
            sentinels = [role.process.sentinel for role in left if role.process is not None]
            connection.wait(sentinels, remaining)
            left = [role for role in left if role.running]
        for role in left:
            assert role.process is not None
            logger.warning("the %s process did not end in %.0f s and is killed", role.name, seconds)
            self._kill(role.process)

    def start_one(self, role: Role) -> BaseProcess:
        """Start one, which is only kept running if it is one of `roles`."""
        role.started, role.stop = time.monotonic(), Stop()
        # Before the list, as both close descriptors: of processes that have ended, and of what is
        # collected.
        active_children()
        settle_memory()
        inherited = set() if self._inherit is None else _open_files() - {0, 1, 2, *self._inherit}
        process = get_context("fork").Process(
            target=self._become, args=(role, os.getpid(), inherited)
        )
        with _signals_later():
            process.start()
        role.process = process
        return process

    def _become(self, role: Role, parent: int, inherited: set[int]) -> None:
        """Run as that process."""
        for sig in STOP_SIGNALS:
            signal.signal(sig, signal.SIG_DFL)
        die_with_parent(parent)
        if self._own_groups:
            os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        for descriptor in inherited:
            with contextlib.suppress(OSError):  # a thread has closed it since
                os.close(descriptor)
        setproctitle(f"{sys.executable} -m {role.module}")
        sys.exit(role.run())

    def _kill(self, process: BaseProcess) -> None:
        assert process.pid is not None
        if self._own_groups:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


@contextlib.contextmanager
def _signals_later() -> Iterator[None]:
    """Hold stop signals back: a process that was just forked would lose one, as it still has the
    handlers of its parent."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _open_files() -> set[int]:
    """The open descriptors of this process."""
    found = set()
    for path in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):  # that of the list itself is closed by now
            os.fstat(int(path.name))
            found.add(int(path.name))
    return found

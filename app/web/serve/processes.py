"""Several web processes that share a port, each started again when it ends."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

from app.process.keeper import STOP_SIGNALS, Keeper, Role

BACKLOG = 4096
"""Connections that wait to be accepted, as many as Linux allows by default: one that finds no room
is reset, or waits a second for its next try. Sanic's own number is 100."""

POLL_SECONDS = 0.2


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, for processes that are forked from this one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


class Processes:
    """Sanic's own manager does not start again a process that was killed, and kills all of them at
    a second signal, with their running uploads."""

    def __init__(
        self,
        count: int,
        sock: socket.socket,
        serve: Callable[[int], None],
        forget: Callable[[int], None],
    ) -> None:
        """
        Args:
            sock: the listening socket; closed here at the stop.
            serve: runs in each process until a signal, with its number; it inherits the socket.
            forget: called with the number of a process that has ended by itself.
        """
        self._sock = sock
        self._keeper = Keeper(
            [
                Role("web", f"app web: {n + 1} of {count}", partial(serve, n), partial(forget, n))
                for n in range(count)
            ]
        )
        self._stopping = False

    def run(self, stop_seconds: float) -> None:
        """Run until SIGINT or SIGTERM; further signals change nothing.

        Args:
            stop_seconds: how long they may take to end; then they are killed.
        """
        for sig in STOP_SIGNALS:
            signal.signal(sig, self._request_stop)
        self._keeper.start()
        while not self._stopping:
            self._keeper.restart_ended()
            time.sleep(POLL_SECONDS)
        # While this process holds it too, connections would be accepted and never answered.
        self._sock.close()
        self._keeper.stop(stop_seconds)

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

"""Several web processes that share a port, each started again when it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from multiprocessing.process import BaseProcess
from types import FrameType

from imaging.parent import die_with_parent

logger = logging.getLogger(__name__)

BACKLOG = 100
"""Connections that wait to be taken; Sanic's own number."""

POLL_SECONDS = 0.2

RESTART_SECONDS = 1.0
"""The least time from one start of a process to the next."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, for processes that are forked from this one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


class Processes:
    """Sanic's own manager does not start again a process that was killed, and kills all of them at
    a second signal, with the uploads they have in hand."""

    def __init__(
        self,
        count: int,
        sock: socket.socket,
        serve: Callable[[int], None],
        forget: Callable[[int], None],
    ) -> None:
        """
        Args:
            sock: the listening socket; closed here when all are to stop.
            serve: what each does until a signal, told its number; it finds the socket by itself.
            forget: told the number of one that has ended by itself.
        """
        self._serve = serve
        self._forget = forget
        self._sock = sock
        self._processes: list[BaseProcess | None] = [None] * count
        self._started = [0.0] * count
        self._stopping = False

    def run(self, stop_seconds: float) -> None:
        """Run until SIGINT or SIGTERM; further signals change nothing.

        Args:
            stop_seconds: how long they may take to end; then they are killed.
        """
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, self._request_stop)
        while not self._stopping:
            for number in range(len(self._processes)):
                self._start(number)
            time.sleep(POLL_SECONDS)
        # While this process holds it too, connections would be taken in and never answered.
        self._sock.close()
        running = [process for process in self._processes if process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + stop_seconds
        while running and time.monotonic() < deadline:
            connection.wait([process.sentinel for process in running], POLL_SECONDS)
            running = [process for process in running if process.is_alive()]
        for process in running:
            logger.warning("web process %d did not end and is killed", process.pid)
            process.kill()
            process.join()

    def _request_stop(self, signum: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _start(self, number: int) -> None:
        process = self._processes[number]
        if process is not None:
            if process.is_alive():
                return
            self._forget(number)
            if time.monotonic() - self._started[number] < RESTART_SECONDS:
                return
            logger.error("a web process ended with status %s; starting it again", process.exitcode)
        self._started[number] = time.monotonic()
        # Forked, so that all have the socket; no thread runs here.
        process = get_context("fork").Process(target=self._child, args=(os.getpid(), number))
        process.start()
        self._processes[number] = process

    def _child(self, parent: int, number: int) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sig, signal.SIG_DFL)
        die_with_parent(parent)
        self._serve(number)

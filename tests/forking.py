"""A process that has imported what every start of ours imports, and forks what a test starts.

`python -m app` takes a second of CPU to start, two thirds of it for imports, and the tests start
hundreds. What is forked runs the same module from its first line, with an environment, an output
and a session of its own. It ends as the processes do that the server itself forks: after its
threads and what atexit knows, and without the 40 ms that Python takes to free each object. Tests of
the start itself do without (`Process.forked`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, NoReturn

from setproctitle import getproctitle, setproctitle

from bench.launch import ROOT

MODULES = ("app", "workers", "workers.scheduler")
"""Those that are run."""

_IMPORTED = (
    "app.run.supervisor",
    "app.web.docs.page",
    "app.web.docs.schema",
    "app.web.http.api",
    "app.web.http.health",
    "app.web.page.page",
    "app.web.serve.framing",
    "app.web.serve.processes",
    "app.web.serve.signals",
    "app.web.tinify.api",
    "app.web.ws.live",
    "ssrfguard",
    "valkey.asyncio",  # of embedded Redis; limits imports whatever client there is
    "wsgiref.simple_server",  # of prometheus_client
)
"""Nothing that looks at the environment when it is imported, as prometheus_client does."""

_ORDER_BYTES = 1024 * 1024


class Forked:
    """A process that was forked, as subprocess.Popen has one."""

    def __init__(self, pid: int, stdout: IO[str], status: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self._status = status
        self._ended: int | None = None

    def poll(self) -> int | None:
        """Its status; None while it runs."""
        return self._wait(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Returns its status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: if it runs for longer.
        """
        ended = self._wait(timeout)
        if ended is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return ended

    def send_signal(self, sig: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def _wait(self, seconds: float | None) -> int | None:
        if self._ended is None:
            poll = select.poll()  # not select(): a test may have a thousand sockets
            poll.register(self._status, select.POLLIN)
            if poll.poll(None if seconds is None else 1000 * seconds):
                self._ended = int(self._status.read())
                self._status.close()
        return self._ended


class Forks:
    """Has processes forked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str], env: Mapping[str, str], cwd: Path) -> Forked:
        """Fork a process that is as `python -m ARGUMENTS`.

        Args:
            env: its environment.
            cwd: the folder it is in.
        """
        output, its_output = os.pipe()
        status, its_status = os.pipe()
        parts = {"arguments": list(arguments), "env": dict(env), "cwd": str(cwd)}
        order = json.dumps(parts).encode()
        try:
            with self._lock:
                connection = self._connected()
                socket.send_fds(connection, [order], [its_output, its_status])
                pid = int(connection.recv(64) or b"0")
        finally:
            os.close(its_output)
            os.close(its_status)
        assert pid, "the process that forks others has ended"
        return Forked(pid, open(output, encoding="utf-8"), open(status, "rb"))  # noqa: PTH123

    def _connected(self) -> socket.socket:
        if self._connection is None:
            self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                # In few words: the name of a process that is forked is to have room for its own.
                self._process = subprocess.Popen(
                    [sys.executable, "-"],
                    cwd=ROOT,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
                assert self._process.stdin is not None
                order = f"from tests.forking import fork; fork({theirs.fileno()})"
                with self._process.stdin as program:
                    program.write(order.encode())
        return self._connection


FORKS = Forks()
"""Of this process of the tests; what forks ends with it."""


def fork(descriptor: int) -> None:
    """Fork what is ordered, and tell how each has ended, until the connection is closed.

    Args:
        descriptor: of the connection.
    """
    connection = socket.socket(fileno=descriptor)
    sys.path[0] = str(ROOT)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for name in _IMPORTED:
        importlib.import_module(name)
    assert "prometheus_client" not in sys.modules
    getproctitle()  # finds its place behind the arguments, before the environment is another one
    gc.collect()
    gc.freeze()
    running: dict[int, tuple[int, int]] = {}
    while True:
        for ready in select.select([connection.fileno(), *running], [], [])[0]:
            if ready in running:
                _tell_end(ready, *running.pop(ready))
                continue
            order, descriptors, *_ = socket.recv_fds(connection, _ORDER_BYTES, 2)
            if not order:
                return
            output, status = descriptors
            pid = os.fork()
            if not pid:
                connection.close()
                _run(json.loads(order), output)
            running[os.pidfd_open(pid)] = (pid, status)
            os.close(output)
            connection.send(str(pid).encode())


def _tell_end(descriptor: int, pid: int, status: int) -> None:
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.write(status, str(ended).encode())
    os.close(status)
    os.close(descriptor)


def _run(order: dict[str, object], output: int) -> NoReturn:
    """Be the process that was ordered."""
    arguments, env, cwd = order["arguments"], order["env"], order["cwd"]
    assert isinstance(arguments, list)
    assert isinstance(env, dict)
    assert isinstance(cwd, str)
    os.setsid()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 1024)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    setproctitle(" ".join([sys.executable, "-m", *arguments]))
    sys.argv = arguments
    sys.modules.pop(arguments[0], None)  # of the scheduler, which workers import too
    ended: object = None
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    except SystemExit as error:
        ended = error.code
    if ended is not None and not isinstance(ended, int):
        print(ended, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined] # as multiprocessing does
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0 if ended is None else ended & 0xFF if isinstance(ended, int) else 1)

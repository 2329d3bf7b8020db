"""The warm decoder: converts what comes in on its one socket, until that closes.

It has no Redis, no storage and no secrets; its standard input is its only connection to the worker.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from imaging import libvips, look
from imaging.data import Data
from imaging.errors import PictureError
from imaging.measures import Measures
from imaging.process.confine import allow_cpu, confine, preload, resident
from imaging.process.frames import Closed, Ready, Tried, receive_frame, send_frame
from imaging.process.memory import release_memory, settle_memory
from imaging.process.parent import die_with_parent
from imaging.results import buffer
from imaging.target import Target

LARGE = 64 * 1024
"""Bytes of a file from which on its conversion takes tens of milliseconds."""

BATCH, OTHER = getattr(os, "SCHED_BATCH", None), getattr(os, "SCHED_OTHER", None)
"""The scheduler's policies for work that nobody waits for, and for all else; only Linux has them.
"""

KEPT = 1.0
"""Seconds after a picture for which its memory is kept."""


def main() -> None:
    """Serve until the worker closes the socket.

    Arguments: the worker's process id, bytes of memory, seconds of CPU for one picture; in place of
    a worn decoder also what that has `Tried`, in JSON.
    """
    parent, memory, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    told = Tried(**json.loads(sys.argv[4])) if len(sys.argv) > 4 else None
    die_with_parent(parent, signal.SIGKILL)
    if told:
        _schedule(BATCH)  # pictures go on meanwhile
    gc.disable()  # of what is imported nothing is garbage: a twentieth of a start
    warnings.simplefilter("ignore")  # Pillow's, on what is broken in a file
    library, status = (told.library, 0) if told else _in_fork(libvips.library_to_open)
    if library and not status:
        libvips.open_library(library)
    import pyvips

    import imaging.convert  # noqa: F401 - before it may read no more than it needs

    settle_memory()
    gc.enable()
    pyvips.cache_set_max(0)  # no two conversions share a step
    with socket.socket(fileno=0) as connection:
        began = resident(os.getpid())
        folder = Path(os.environ["TMPDIR"])

        def confined(ask: Callable[[], str | None]) -> str | None:
            die_with_parent(decoder, signal.SIGKILL)
            confine(memory, folder)
            allow_cpu(seconds)
            return ask()

        decoder = os.getpid()
        preload()  # once, and not in each copy
        fault, status = (None, 0) if told else _in_fork(lambda: confined(libvips.fault))
        if status:
            fault = f"libvips ended its process with status {status} over a small picture"
        if told:
            look.choose(look.Method(told.look))
        elif look.method() is not look.Method.PILLOW:  # which needs no trial
            tried, crashed = _in_fork(lambda: confined(look.fastest_working))
            # It is loaded by the first picture that needs it, confined: a decoder at rest is
            # smaller.
            look.choose(look.Method.PILLOW if crashed or not tried else look.Method(tried))
        missing = confine(memory, folder)
        ready = Ready(began, missing, Tried(library, look.method()), fault)
        # A stop is for the worker, which lets the picture in hand be finished and then closes the
        # socket; a terminal and some platforms send the signal to every process.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _schedule(OTHER)
        try:
            send_frame(connection, ready.to_dict(), b"")
            while fault is None:
                _rest(connection)
                fields, data = receive_frame(connection)
                allow_cpu(seconds)
                with _interrupting_nobody(data):
                    answer = _answer(Target.from_dict(fields), data, memory)
                send_frame(connection, *answer)
        except (Closed, BrokenPipeError):
            return


def _rest(connection: socket.socket) -> None:
    """Keep what the last picture has needed for the next one, if that comes soon."""
    if not select.select([connection], [], [], KEPT)[0]:
        buffer.release()
        release_memory()


@contextlib.contextmanager
def _interrupting_nobody(data: Data) -> Iterator[None]:
    """Let this thread and those that it starts take no core from another process while they convert
    a picture that takes long: libvips's threads wake one another hundreds of times for a
    photograph, and each time one of them would interrupt a process that answers somebody. The share
    of the CPU stays the same. Of a small picture the way here and back counts more."""
    if len(data) < LARGE:
        yield
        return
    try:
        _schedule(BATCH)
        yield
    finally:
        _schedule(OTHER)


def _schedule(policy: int | None) -> None:
    if policy is not None:
        with contextlib.suppress(OSError):  # a container may forbid it
            os.sched_setscheduler(0, policy, os.sched_param(0))


def _in_fork(ask: Callable[[], str | None]) -> tuple[str | None, int]:
    """What `ask` returns in a copy of this process, and the status with which the copy ended: what
    Python and the encoders set up for that, some 15 MB, is not kept. libvips has not started a
    thread yet, so the copy is whole."""
    reader, writer = os.pipe()
    copy = os.fork()
    if not copy:
        status = 1
        try:
            os.write(writer, (ask() or "").encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as pipe:  # noqa: PTH123 - a descriptor
        answer = pipe.read()
    return answer or None, os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])


def _answer(target: Target, data: Data, memory: int) -> tuple[dict[str, Any], Data]:
    from imaging.convert import convert

    told: dict[str, Any] = {}

    def tell(measures: Measures) -> None:
        told["measures"] = measures.to_dict()

    try:
        result: Data = convert(data, target, tell)
    except PictureError as error:
        return {**told, "error": str(error), "code": error.code}, b""
    except MemoryError:
        reason = f"the picture needs more than the {memory} bytes of memory allowed"
        return {**told, "error": reason, "code": PictureError(reason).code}, b""
    return told, result


if __name__ == "__main__":
    main()

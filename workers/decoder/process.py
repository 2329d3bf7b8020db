"""A process that libvips runs in, from its start to its end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.process.temporary import TemporaryFolder
from imaging.data import Data
from imaging.process.confine import resident
from imaging.process.frames import Ready, Tried, Unfit, receive_frame, send_frame
from imaging.target import Target

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]

INHERITED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
"""The only variables of the worker's environment that the decoder sees: no address, no secret."""

TEMPORARY_PREFIX = "tinyimage-decoder-"
"""Of the folder for the temporary files of one decoder."""

ENVIRONMENT = {
    "VIPS_CONCURRENCY": "1",  # one thread: there are as many decoders as pictures
    "RAYON_NUM_THREADS": "1",  # oxipng's threads, for the same reason
    "MALLOC_ARENA_MAX": "2",  # glibc sets memory aside for each thread
    # Memory that one photograph has freed serves the next one: the kernel would clear new memory.
    # `imaging.decoder` gives it back once no picture comes.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(64 * 1024**2),
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_WARNING": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}

CPU_FACTOR = 2
"""CPU time of a picture as a multiple of its time limit. The worker ends it long before, as nearly
all work is in one thread; this is for a decoder without a worker."""


@dataclass(frozen=True, slots=True)
class DecoderLimits:
    """The limits of one decoder, on memory and lifetime."""

    memory: int = 4 * 1024**3
    """Bytes of its address space."""
    pictures: int = 500
    """Pictures after which it is replaced."""
    growth: int = 256 * 1024**2
    """Bytes of resident memory over its start, after which it is replaced."""


class Decoder:
    """A process that converts one picture after the other."""

    def __init__(self, limits: DecoderLimits, timeout: float, tried: Tried | None = None) -> None:
        """Start it.

        Args:
            timeout: seconds that one conversion may take.
            tried: the findings of the decoder that it replaces, which works; else it tries libvips.
        """
        self.pictures = 0
        self.tried = Tried()
        """Once it is ready."""
        self._limits = limits
        self._ready = False
        self._base: int | None = None
        self._temporary = TemporaryFolder(TEMPORARY_PREFIX)
        self.connection, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "imaging.decoder", str(os.getpid())),
                    *(str(limits.memory), str(CPU_FACTOR * timeout)),
                    *([json.dumps(asdict(tried))] if tried else []),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                umask=0o077,
                env={name: os.environ[name] for name in INHERITED if name in os.environ}
                | ENVIRONMENT
                | {"TMPDIR": str(self._temporary.folder)},
            )
        except BaseException:
            self.connection.close()
            self._temporary.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    @property
    def ready(self) -> bool:
        """Whether it is ready for a picture. Does not wait.

        Raises:
            Closed: if it has ended; Unfit if it cannot convert.
        """
        if not self._ready and select.select([self.connection], [], [], 0)[0]:
            self._greet(receive_frame(self.connection)[0])
        return self._ready

    @property
    def memory(self) -> int | None:
        """Bytes of its resident memory; None if the kernel does not say."""
        return resident(self.pid)

    @property
    def worn(self) -> bool:
        """Whether it has converted `limits.pictures` pictures, or has grown too much."""
        if self.pictures >= self._limits.pictures:
            return True
        memory = self.memory
        return memory is not None and memory > (self._base or memory) + self._limits.growth

    def send(self, target: Target, data: Data) -> None:
        """Hand it a picture. It is ready, as `wait` has told.

        Raises:
            OSError: if it is gone, or does not accept it before the connection's time-out.
        """
        self.pictures += 1
        send_frame(self.connection, target.to_dict(), data)

    def receive(self, on_timeout: Callable[[], None]) -> tuple[dict[str, Any], Data]:
        """The outcome of the picture.

        Args:
            on_timeout: called each time the connection's time-out passes; it may raise.

        Raises:
            Closed: if it is gone.
        """
        return receive_frame(self.connection, on_timeout)

    def wait(self, on_timeout: Callable[[], None]) -> None:
        """Wait until it is ready for a picture.

        Args:
            on_timeout: called each time the connection's time-out passes; it may raise.

        Raises:
            Closed: if it has ended; Unfit if it cannot convert.
        """
        if not self._ready:
            self._greet(receive_frame(self.connection, on_timeout)[0])

    def end(self, patience: float = 0) -> int:
        """End it and return its status, negative for a signal.

        Args:
            patience: seconds that it gets to end by itself. One that crashed is just ending: its
                own status tells more than our SIGKILL.
        """
        self.connection.close()
        if patience:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._process.kill()
        status = self._process.wait()
        self._temporary.close()
        return status

    def _greet(self, fields: dict[str, Any]) -> None:
        ready = Ready.from_dict(fields)
        if ready.fault is not None:
            raise Unfit(ready.fault)
        self._ready, self._base, self.tried = True, ready.memory, ready.tried
        if ready.missing:
            logger.warning("the kernel lacks %s for the decoder", " and ".join(ready.missing))

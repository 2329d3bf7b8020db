"""The warm child process that libvips runs in, its limits and its time-outs."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from workers.imaging.errors import PictureError
from workers.imaging.protocol import Closed, Data, Target, receive_frame, send_frame

ROOT = Path(__file__).resolve().parent.parent

INHERITED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
"""The only variables of the worker's environment that the child sees: no address, no secret."""

ENVIRONMENT = {
    "VIPS_CONCURRENCY": "1",  # one thread for each child: there are as many children as pictures
    "RAYON_NUM_THREADS": "1",  # oxipng's threads, for the same reason
    "VIPS_BLOCK_UNTRUSTED": "1",
    "VIPS_WARNING": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}

SLICE_SECONDS = 0.25
"""How often a wait for the child looks at the clock and at `interrupt_after`."""


class ChildCrashed(Exception):
    """The child ended in the middle of a picture."""


class ConversionTimeout(PictureError):
    """The conversion took longer than it may."""


class Interrupted(Exception):
    """The worker stops and cannot wait for the picture any longer."""


class Sandbox:
    """A child process that converts one picture after the other, and is replaced when it fails."""

    def __init__(self, timeout: float) -> None:
        """
        Args:
            timeout: seconds that one conversion may take.
        """
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._interrupt_at = float("inf")

    @property
    def pid(self) -> int | None:
        """The child's process id, None while there is no child."""
        return self._process.pid if self._process else None

    def start(self) -> socket.socket:
        """Start the child if there is none. Returns the connection to it."""
        if self._connection is not None and self._process and self._process.poll() is None:
            return self._connection
        self.close()
        ours, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workers.imaging.child", str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd=ROOT,
                env={name: os.environ[name] for name in INHERITED if name in os.environ}
                | ENVIRONMENT,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._connection = ours
        return ours

    def convert(self, data: Data, target: Target) -> Data:
        """The picture in `data` as `target` describes it.

        Raises:
            PictureError: if it cannot be read; ConversionTimeout if it takes too long.
            ChildCrashed: if the child ends meanwhile.
            Interrupted: if `interrupt_after` runs out.
        """
        connection = self.start()
        deadline = time.monotonic() + self._timeout

        def check_time() -> None:
            now = time.monotonic()
            if now > deadline:
                raise self._took_too_long()
            if now > self._interrupt_at:
                raise Interrupted

        try:
            connection.settimeout(self._timeout)
            send_frame(connection, target.to_dict(), data)
            connection.settimeout(SLICE_SECONDS)
            fields, result = receive_frame(connection, check_time)
        except TimeoutError:
            # It did not even take the picture in.
            self._kill()
            raise self._took_too_long() from None
        except (Closed, OSError) as error:
            status = self._kill()
            raise ChildCrashed(f"the decoder ended with status {status}") from error
        except BaseException:
            # In the middle of a frame: this child cannot be spoken to any more.
            self._kill()
            raise
        if "error" in fields:
            raise PictureError(fields["error"], fields["code"])
        return result

    def interrupt_after(self, seconds: float) -> None:
        """Let a conversion take `seconds` more from now; for a worker that is to stop."""
        self._interrupt_at = time.monotonic() + seconds

    def close(self) -> None:
        """End the child."""
        self._kill()

    def _took_too_long(self) -> ConversionTimeout:
        return ConversionTimeout(f"the conversion took longer than {self._timeout:g} s")

    def _kill(self) -> int | None:
        """End the child and say how it ended: its status, negative for a signal."""
        status = None
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            # One that crashed is just ending: its own status tells more than our SIGKILL.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
            self._process.kill()
            status = self._process.wait()
        self._process = self._connection = None
        return status

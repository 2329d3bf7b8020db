"""The messages between a worker and its decoder: a frame is a header, JSON, and bytes."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from imaging.data import Data

_HEADER = struct.Struct("!IQ")
"""Lengths of the JSON and of the bytes."""

MAX_SIZE = 1024**3
"""Bytes of the largest frame that is received; more than any picture that is taken or made."""

COPIED_SIZE = 64 * 1024
"""Bytes of the largest data that are sent together with what comes before them: the other side
wakes for each sending."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The findings of a decoder that has tried libvips at its start. The decoder that replaces it
    once it is worn takes them over, and tries nothing."""

    library: str | None = None
    """The path of the libvips to open, None for that which pyvips finds."""
    look: str = ""
    """The program that computes SSIMULACRA2."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The first that a decoder says: it is up."""

    memory: int | None
    """Bytes that it holds; None where the kernel does not say."""
    missing: list[str]
    """The means of confinement that the kernel lacks."""
    tried: Tried
    fault: str | None = None
    """Why no picture would become what it should; the decoder ends then."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "memory": self.memory,
            "missing": self.missing,
            "tried": asdict(self.tried),
            "fault": self.fault,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Ready:
        """What `to_dict` described."""
        return cls(data["memory"], data["missing"], Tried(**data["tried"]), data["fault"])


class Closed(Exception):
    """The other side is gone."""


class Unfit(Closed):
    """The other side is gone, as it cannot convert. The message is one line that says why."""


def send_frame(connection: socket.socket, fields: dict[str, Any], data: Data) -> None:
    """Send one frame.

    Raises:
        OSError: if the other side is gone or does not read in time.
    """
    text, view = json.dumps(fields).encode(), memoryview(data)
    head = _HEADER.pack(len(text), view.nbytes) + text
    if view.nbytes <= COPIED_SIZE:
        connection.sendall(b"".join((head, view)))
        return
    connection.sendall(head)
    connection.sendall(view)


def receive_frame(
    connection: socket.socket, on_timeout: Callable[[], None] | None = None
) -> tuple[dict[str, Any], Data]:
    """Receive one frame.

    Args:
        on_timeout: called each time the connection's time-out passes without a byte; it may raise.

    Raises:
        Closed: if the other side is gone, or announces more than `MAX_SIZE`.
    """
    text_size, data_size = _HEADER.unpack(_receive(connection, _HEADER.size, on_timeout))
    fields: dict[str, Any] = json.loads(_receive(connection, text_size, on_timeout))
    return fields, _receive(connection, data_size, on_timeout)


def _receive(connection: socket.socket, size: int, on_timeout: Callable[[], None] | None) -> Data:
    if size > MAX_SIZE:  # the size is the other side's word
        raise Closed
    if connection.gettimeout() is None:
        return _receive_at_once(connection, size)
    # Zeroed memory is only taken when it is written to, so this is no more than what comes.
    buffer = bytearray(size)
    view, received = memoryview(buffer), 0
    while received < size:
        try:
            count = connection.recv_into(view[received:])
        except TimeoutError:
            if on_timeout is None:
                raise
            on_timeout()
            continue
        except OSError as error:
            raise Closed from error
        if not count:
            raise Closed
        received += count
    return buffer


def _receive_at_once(connection: socket.socket, size: int) -> bytes:
    """The same without a time-out: as bytes, which codecs need not copy."""
    received = b""
    while missing := size - len(received):
        try:
            part = connection.recv(missing, socket.MSG_WAITALL)
        except OSError as error:
            raise Closed from error
        if not part:
            raise Closed
        received = received + part if received else part  # a signal may cut it in two
    return received

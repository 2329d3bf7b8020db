"""The warm child: converts what comes in on its one socket, until that closes.

It has no Redis, no storage and no secrets; its standard input is its only connection to the worker.
"""

from __future__ import annotations

import os
import signal
import socket
import sys

import pyvips

from app.core.lifeline import die_with_parent
from workers.imaging.convert import convert
from workers.imaging.errors import PictureError
from workers.imaging.protocol import Closed, Target, receive_frame, send_frame


def main() -> None:
    """Serve until the worker closes the socket."""
    die_with_parent(int(sys.argv[1]), signal.SIGKILL)
    # A stop is for the worker, which lets the picture in hand be finished and then closes the
    # socket; a terminal and some platforms send the signal to every process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pyvips.cache_set_max(0)  # no two conversions share a step
    with socket.socket(fileno=os.dup(0)) as connection:
        while True:
            try:
                fields, data = receive_frame(connection)
            except Closed:
                return
            try:
                result = convert(data, Target.from_dict(fields))
            except PictureError as error:
                send_frame(connection, {"error": str(error), "code": error.code}, b"")
            else:
                send_frame(connection, {}, result)


if __name__ == "__main__":
    main()

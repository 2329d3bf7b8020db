"""How many clients may come at the same moment."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

import pytest

from app.web.serve.processes import listen

CLIENTS = 400
"""Fewer than the 1,024 files that a process may have open by default."""


def _bound() -> int:
    """Connections that the system lets wait for a process to accept them."""
    file = Path("/proc/sys/net/core/somaxconn")
    return int(file.read_text()) if file.exists() else 0


@pytest.mark.skipif(sys.platform != "linux" or _bound() < CLIENTS, reason="the system allows fewer")
def test_hundreds_of_clients_are_connected_before_the_first_is_accepted() -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen("127.0.0.1", 0))
        for _ in range(CLIENTS):
            stack.enter_context(socket.create_connection(listener.getsockname(), timeout=5))

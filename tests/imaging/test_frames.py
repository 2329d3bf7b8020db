"""A frame comes as it was sent, however it is cut on its way."""

from __future__ import annotations

import socket
import threading

import pytest

from imaging.process.frames import Closed, receive_frame, send_frame

FIELDS, DATA = {"name": "ü"}, bytes(range(256)) * 4000


@pytest.mark.parametrize("waits", [None, 0.05])
@pytest.mark.parametrize("data", [b"", b"a", DATA])
def test_it_comes_as_it_was_sent(data: bytes, waits: float | None) -> None:
    one, other = socket.socketpair()
    with one, other:
        other.settimeout(waits)
        sender = threading.Thread(target=send_frame, args=(one, FIELDS, data))
        sender.start()
        assert receive_frame(other, lambda: None) == (FIELDS, data)
        sender.join()


@pytest.mark.parametrize("waits", [None, 0.05])
@pytest.mark.parametrize("left", [0, 3, 20, 1000])
def test_a_frame_that_ends_too_early_tells_that_the_other_side_is_gone(
    left: int, waits: float | None
) -> None:
    whole, (one, other) = _whole(), socket.socketpair()
    with one, other:
        other.settimeout(waits)
        one.sendall(whole[:left])
        one.close()
        with pytest.raises(Closed):
            receive_frame(other, lambda: None)


@pytest.mark.parametrize("waits", [None, 0.05])
def test_a_frame_of_a_gigabyte_and_more_is_not_received(waits: float | None) -> None:
    one, other = socket.socketpair()
    with one, other:
        other.settimeout(waits)
        one.sendall(b"\0\0\0\2" + b"\xff" * 8 + b"{}")
        with pytest.raises(Closed):
            receive_frame(other, lambda: None)


def _whole() -> bytes:
    one, other = socket.socketpair()
    with one, other:
        send_frame(one, FIELDS, DATA[:5000])
        return other.recv(10_000)

"""A socket on which nothing happens, behind a router that closes it then."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from tests.service import Service

ROUTER_SECONDS = 55
"""After which Heroku's router closes a connection on which nothing has come; others give 60."""


@pytest.fixture
def wire(server: Service) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=ROUTER_SECONDS) as wire:
        yield wire


def test_a_silent_socket_is_pinged_before_a_router_closes_it(
    server: Service, wire: socket.socket
) -> None:
    protocol = ClientProtocol(parse_uri(server.ws_url))
    protocol.send_request(protocol.connect())

    def events() -> Iterator[Frame]:
        while True:
            wire.sendall(b"".join(protocol.data_to_send()))
            data = wire.recv(65536)  # raises TimeoutError where the router would have closed
            assert data, "the server closes it"
            protocol.receive_data(data)
            for event in protocol.events_received():
                if isinstance(event, Response):
                    assert event.status_code == 101
                else:
                    assert isinstance(event, Frame)
                    yield event

    received = events()
    assert next(received).opcode is Opcode.PING
    # Its pong has been queued by now; the socket is alive.
    protocol.send_text(b"nonsense")
    answer = next(received)
    assert answer.opcode is Opcode.TEXT
    assert json.loads(bytes(answer.data))["message"] == "invalid_json"

"""Sanic's protocol, with the limits on slow and greedy clients that it lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from sanic import Request
from sanic.exceptions import BadRequest, SanicException
from sanic.http import Stage
from sanic.http.http1 import Http
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame

SMALL_MESSAGE = 64 * 1024
"""Bytes that a socket may always have on their way in: one with less is never closed for others."""

CLOSE_INVALID_DATA = 1007
CLOSE_TRY_AGAIN_LATER = 1013
CLOSE_POLICY_VIOLATION = 1008


@dataclass(slots=True)
class Incoming:
    """The memory that messages on their way in take, over all sockets of this process."""

    limit: int
    held: int = 0

    @property
    def full(self) -> bool:
        """Whether there is no more."""
        return self.held > self.limit


class Requests(Http):
    """The requests of one connection."""

    __slots__ = ()

    def create_empty_request(self) -> None:
        """A request to answer one with that cannot be read, also where its URL is none: Sanic would
        fail at that a second time, with a trace and without an answer."""
        try:
            super().create_empty_request()
        except BadRequest:
            self.url = None
            super().create_empty_request()
        self.request.conn_info = self.protocol.conn_info


class Protocol(WebSocketProtocol):
    """One connection.

    Sanic counts its time-outs from the last byte that came, so one byte now and then keeps a
    request open for ever; here the head of a request, a body that nobody wants and a message of a
    socket have a time as a whole. The body of an upload has its own, in `read_form`.
    """

    HTTP_CLASS = Requests

    __slots__ = (
        "_held",
        "_incoming",
        "_message_seconds",
        "_message_timer",
        "ended_for",
    )  # as Sanic's all have

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._incoming: Incoming = self.app.ctx.incoming
        self._message_seconds: float = self.app.ctx.message_seconds
        self.ended_for: str | None = None
        """Why the socket was cut off; None if it was not."""
        self._held = 0
        self._message_timer: asyncio.TimerHandle | None = None
        self.request_handler = self._handle

    async def websocket_handshake(
        self, request: Request, subprotocols: Sequence[str] | None = None
    ) -> WebsocketImplProtocol:
        """Make the connection a socket."""
        websocket = await super().websocket_handshake(request, subprotocols)
        read = websocket.async_data_received

        async def async_data_received(data: Sequence[bytes], events: Sequence[Any]) -> None:
            """As Sanic's own, which nobody waits for: what it raises would end in a trace, and the
            socket would hang."""
            try:
                await read(data, events)
            except UnicodeDecodeError:
                self._fail(CLOSE_INVALID_DATA, "no_utf8")  # RFC 6455, section 8.1
            except (SanicException, ConnectionClosed):  # it is closing
                pass
            finally:
                # The parser keeps the last frame in hand until the next has come as a whole: each
                # socket would hold the picture it has sent for as long as it waits for the answer.
                for event in events:
                    if isinstance(event, Frame):
                        event.data = b""

        websocket.async_data_received = async_data_received
        return cast(WebsocketImplProtocol, websocket)

    async def _handle(self, request: Request) -> None:
        """Answer a request, counted while that takes, however it ends."""
        with self.app.ctx.instruments.request():
            await self.app.handle_request(request)

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        last = self._time
        super().data_received(data)  # type: ignore[no-untyped-call]
        if self.websocket is not None:
            self._watch_message()
            return
        http = self.http
        if http is None:
            return
        answered = http.stage is Stage.IDLE and getattr(http, "request_body", None)
        if http.stage is Stage.REQUEST or answered:
            self._time = last

    def connection_lost(self, exc: Exception | None) -> None:
        """Give back what the connection held."""
        self._hold(0)
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def hold(self, size: int) -> None:
        """Count bytes of messages that are being worked on, beside those on their way in."""
        self._incoming.held += size

    def buffered(self) -> int:
        """Bytes that wait for the client to take them."""
        return self.transport.get_write_buffer_size() if self.transport else 0

    async def drain(self) -> None:
        """Wait until the client has taken nearly all it was sent, or is gone."""
        await self._can_write.wait()

    def abort(self) -> None:
        """Cut the connection, whose client takes nothing."""
        self.ended_for = "not_reading"
        if self.transport is not None:
            self.transport.abort()

    def _watch_message(self) -> None:
        """Bound the memory and the time of a message that has begun and is not complete."""
        assert self.websocket is not None
        parser = self.websocket.ws_proto
        self._hold(len(parser.reader.buffer) + (parser.current_size or 0))
        if self._held > SMALL_MESSAGE and self._incoming.full:
            self._fail(CLOSE_TRY_AGAIN_LATER, "too_much_at_once")

    def _hold(self, size: int) -> None:
        self._incoming.held += size - self._held
        self._held = size
        if size and self._message_timer is None:
            self._message_timer = self.loop.call_later(self._message_seconds, self._too_slow)
        elif not size and self._message_timer is not None:
            self._message_timer.cancel()
            self._message_timer = None

    def _too_slow(self) -> None:
        self._message_timer = None
        self._fail(CLOSE_POLICY_VIOLATION, "too_slow")

    def _fail(self, code: int, why: str) -> None:
        if self.websocket is not None and self.ended_for is None:
            self.ended_for = why
            self.websocket.fail_connection(code, why)

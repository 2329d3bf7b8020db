"""Sanic's protocol, with the limits on slow and greedy clients that it lacks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sanic import Request
from sanic.exceptions import BadRequest, SanicException
from sanic.http import Stage
from sanic.models.server_types import ConnInfo
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame

from app.web.serve.http1 import Inlet, Requests

SMALL_MESSAGE = 64 * 1024
"""Incoming bytes that each socket may always have: with less it is never closed, and read on while
its messages wait."""

FRAME_BYTES = 256
"""Bytes that a frame takes beside its data, roughly."""

ENDS_EARLY = "The client has ended its side of the connection before the end of the request"

CLOSE_INVALID_DATA = 1007
CLOSE_TRY_AGAIN_LATER = 1013
CLOSE_POLICY_VIOLATION = 1008


@dataclass(slots=True)
class Incoming:
    """The memory of incoming messages, over all sockets of this process."""

    limit: int
    held: int = 0

    @property
    def full(self) -> bool:
        """Whether the memory is used up."""
        return self.held > self.limit


class Protocol(WebSocketProtocol):
    """One connection.

    Sanic counts its time-outs from the last byte that came, so one byte now and then keeps a
    request open for ever; here the head of a request, an unwanted body and a message of a
    socket have a time limit as a whole. The body of an upload has its own, in `read_form`.
    """

    HTTP_CLASS = Requests

    __slots__ = (
        "_at_end",
        "_held",
        "_incoming",
        "_inlet",
        "_message_seconds",
        "_message_timer",
        "_waiting",
        "ended_for",
    )  # as Sanic's all have

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._incoming: Incoming = self.app.ctx.incoming
        self._message_seconds: float = self.app.ctx.message_seconds
        self.ended_for: str | None = None
        """Why the socket was cut off; None if it was not."""
        self._at_end = False
        self._held = 0
        self._inlet: Inlet | None = None
        self._waiting = 0
        self._message_timer: asyncio.TimerHandle | None = None
        self.request_handler = self._handle

    async def websocket_handshake(
        self, request: Request, subprotocols: Sequence[str] | None = None
    ) -> WebsocketImplProtocol:
        """Make the connection a socket."""
        websocket = await super().websocket_handshake(request, subprotocols)
        read, resume = websocket.async_data_received, websocket.resume_frames

        async def take(data: Sequence[bytes], frames: Sequence[Frame], size: int) -> None:
            """As Sanic's own, whose task is never awaited: its exceptions would end in a trace,
            and the socket would hang."""
            try:
                await read(data, frames)
            except UnicodeDecodeError:
                self._fail(CLOSE_INVALID_DATA, "no_utf8")  # RFC 6455, section 8.1
            except (SanicException, ConnectionClosed):  # it is closing
                pass
            finally:
                # The parser keeps the last frame in hand until the next has come as a whole: each
                # socket would hold the picture it has sent for as long as it waits for the answer.
                for frame in frames:
                    frame.data = b""
                self._wait(-size)

        def async_data_received(
            data: Sequence[bytes], events: Sequence[Any]
        ) -> Coroutine[Any, Any, None]:
            # Counted now, and not when the task runs: more may be read before that.
            frames = [event for event in events if isinstance(event, Frame)]
            size = sum(len(frame.data) + FRAME_BYTES for frame in frames)
            self._wait(size)
            return take(data, frames, size)

        def resume_frames() -> bool:
            """As Sanic's own, which reads on once a message is taken, even if others wait that
            were read with it: a client that sends faster than the server works would fill the
            memory."""
            resumed = bool(resume())
            self._wait(0)
            return resumed

        websocket.async_data_received = async_data_received
        websocket.resume_frames = resume_frames
        return cast(WebsocketImplProtocol, websocket)

    async def _handle(self, request: Request) -> None:
        """Answer a request, and count it meanwhile, however it ends."""
        instruments = self.app.ctx.instruments
        instruments.begin_request()
        try:
            await self.app.handle_request(request)
        finally:
            instruments.end_request()

    def data_received(self, data: bytes) -> None:
        """Take the received bytes."""
        if (inlet := self._inlet) is not None:
            self._time = time.monotonic()
            data = inlet.write(data)
            if inlet.ended.done():
                self._inlet = None
            if not data:
                return
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

    def eof_received(self) -> bool:
        """Keep the connection open, where a request has not come as a whole: its client may still
        read the answer. One that goes away looks the same, so else it is closed."""
        http, transport = cast(Requests | None, self.http), self.transport
        # asyncio's TLS has no connection that is closed on one side.
        if http is None or transport is None or transport.get_extra_info("sslcontext"):
            return False
        if self.websocket is not None or not http.is_arriving:
            return False
        self._at_end = True
        if self._inlet is not None:
            http.keep_alive = False
            self._inlet.fail(BadRequest(ENDS_EARLY))
        self._data_received.set()
        return True

    async def receive_more(self) -> None:
        """Wait until more has been received.

        Raises:
            BadRequest: if the client sends no more.
        """
        if not self._at_end:
            await super().receive_more()  # type: ignore[no-untyped-call]
        if self._at_end:
            http = self.http
            if http is None or http.stage is Stage.IDLE:  # no request has begun
                raise asyncio.CancelledError
            http.keep_alive = False
            raise BadRequest(ENDS_EARLY)

    async def pass_on(self, inlet: Inlet) -> None:
        """Let the inlet take what is received, until it has ended.

        Raises:
            Exception: as the inlet.
        """
        self._inlet = inlet
        try:
            if self.transport is not None:  # else this task is being cancelled
                self.transport.resume_reading()
            await inlet.ended
        finally:
            self._inlet = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the resources of the connection."""
        self._hold(0)
        self._incoming.held -= self._waiting
        super().connection_lost(exc)  # type: ignore[no-untyped-call]

    def hold(self, size: int) -> None:
        """Count bytes of messages in work, beside incoming ones."""
        self._incoming.held += size

    @property
    def receiving(self) -> bool:
        """Whether a message has begun and is not complete."""
        return self._held > 0

    def buffered(self) -> int:
        """Bytes that wait for the client to take them."""
        return self.transport.get_write_buffer_size() if self.transport else 0

    async def drain(self) -> None:
        """Wait until the client has taken nearly all sent bytes, or is gone."""
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

    def _wait(self, size: int) -> None:
        """Count bytes of frames that have come as a whole and wait to be taken. While there are
        many, nothing more is read."""
        websocket, transport = self.websocket, self.transport
        if websocket is None or transport is None or cast(ConnInfo, self.conn_info).lost:
            return  # its count is gone with it
        self._waiting += size
        self._incoming.held += size
        if self._waiting > SMALL_MESSAGE:
            transport.pause_reading()
        elif websocket.pause_frame_fut is None and not transport.is_closing():
            transport.resume_reading()

    def _too_slow(self) -> None:
        self._message_timer = None
        self._fail(CLOSE_POLICY_VIOLATION, "too_slow")

    def _fail(self, code: int, why: str) -> None:
        if self.websocket is not None and self.ended_for is None:
            self.ended_for = why
            self.websocket.fail_connection(code, why)

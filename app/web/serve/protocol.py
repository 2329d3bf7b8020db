"""Sanic's protocol, with the limits on slow and greedy clients that it lacks."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sanic import Request
from sanic.exceptions import BadRequest, PayloadTooLarge, SanicException
from sanic.helpers import has_message_body
from sanic.http import Stage
from sanic.http.http1 import HTTP_CONTINUE, Http
from sanic.models.server_types import ConnInfo
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame

from app.core.errors import HeadTooLarge
from app.web.serve.head import head_of

HEAD_SIZE = 32 * 1024
"""Bytes of the largest head of a request: single sign-on fills cookies with 10 KB and more. Sanic's
own setting ends at 16 KB."""

CHUNK_LINE = 4 * 1024
"""Bytes of the line before a chunk, or of one trailer field."""

CHUNK_OVERHEAD = 256 * 1024
"""Bytes of the extensions of all chunks of a body and of its trailers, which are dropped."""

LINGER_SECONDS = 2.0
"""How long a refused head or body is still read: a client that gets no answer while it sends may
take a closed connection for a failure of the network (RFC 9112, section 9.6)."""

JOINED_SIZE = 32 * 1024
"""Bytes of a body that goes out as one with its head; of a larger one that would be a copy."""

_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(;[^\x00-\x08\x0a-\x1f\x7f]*)?")
_PATH = re.compile(rb"[A-Za-z]{1,20} (/[!->@-~]{0,1000})(?=[ ?])")
"""Of a request line, in a head that is not read."""
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*")

SMALL_MESSAGE = 64 * 1024
"""Incoming bytes that each socket may always have: with less it is never closed, and read on while
its messages wait."""

FRAME_BYTES = 256
"""Bytes that a frame takes beside its data, roughly."""

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


class Inlet:
    """Takes the rest of a body as it arrives."""

    __slots__ = ("_take", "ended", "left")

    def __init__(self, left: int, take: Callable[[bytes], None]) -> None:
        """
        Args:
            left: bytes of the body that are still to come.
            take: is called with each part of it.
        """
        self.left = left
        self._take = take
        self.ended = asyncio.get_running_loop().create_future()
        """Done at the end of the body, or with an exception of `take`."""

    def write(self, data: bytes) -> bytes:
        """Take received bytes. Returns those that are not of the body."""
        part, rest = data, b""
        if len(data) > self.left:
            part, rest = data[: self.left], data[self.left :]
        self.left -= len(part)
        try:
            self._take(part)
        except Exception as error:
            if not self.ended.done():  # it is, if its task was cancelled
                self.ended.set_exception(error)
        else:
            if not self.left and not self.ended.done():
                self.ended.set_result(None)
        return rest


class Requests(Http):
    """The requests of one connection."""

    __slots__ = ("_overhead",)

    HEADER_MAX_SIZE = HEAD_SIZE

    def init_for_request(self) -> None:
        """Forget the last request."""
        super().init_for_request()  # type: ignore[no-untyped-call]
        self._overhead = 0

    async def http1_request_header(self) -> None:
        """Read the head of a request.

        Raises:
            HeadTooLarge: if it is larger than `HEAD_SIZE`.
        """
        try:
            await super().http1_request_header()  # type: ignore[no-untyped-call]
        except PayloadTooLarge:
            # The path, so that the answer is in the words of the API that was asked.
            if begun := _PATH.match(self.recv_buffer):
                self.url = begun[1].decode("ascii")
            raise HeadTooLarge(
                f"The head of the request is larger than {HEAD_SIZE} bytes"
            ) from None

    async def http1_response_header(self, data: bytes, end_stream: bool) -> None:
        """Send the head of an answer, and the available part of its body.

        Does what Sanic's own does, with the lines of the head as `head_of` makes them.

        Raises:
            RuntimeError: if the status is invalid for an answer.
        """
        response = self.response
        headers, status = response.headers, response.status
        if not data and (body := getattr(response, "body", None)):
            data, end_stream = body, True
        if not isinstance(status, int) or status < 200:
            raise RuntimeError(f"Invalid response status {status!r}")
        size = self.response_size = len(data)
        send_more: Any = None
        has_body = has_message_body(status)  # type: ignore[no-untyped-call]
        if not has_body:
            data, end_stream = b"", True
            headers.pop("content-length", None)
            headers.pop("transfer-encoding", None)
        elif self.head_only and "content-length" in headers:
            pass
        elif end_stream:
            headers["content-length"] = size
        elif "content-length" in headers:
            self.response_bytes_left = int(headers["content-length"]) - size
            send_more = self.http1_response_normal
        else:
            headers["transfer-encoding"] = "chunked"
            data = b"%x\r\n%b\r\n" % (size, data) if size else b""
            send_more = self.http1_response_chunked
        if self.head_only:
            data = b""
            send_more = self.head_response_ignored
        self.response_func = send_more
        headers["connection"] = "keep-alive" if self.keep_alive else "close"
        if has_body:
            headers.setdefault("content-type", response.content_type)
        answer = head_of(status, headers.items())
        if self.expecting_continue:
            self.expecting_continue = False
            if status != 417:
                answer = HTTP_CONTINUE + answer
        if len(data) <= JOINED_SIZE:
            await self._send(answer + data)
        else:
            await self._send(answer)
            self.stage = Stage.RESPONSE  # from here on an error cannot be answered
            await self._send(data)
        self.stage = Stage.IDLE if end_stream else Stage.RESPONSE

    async def head_response_ignored(  # type: ignore[override]
        self, data: bytes, end_stream: bool
    ) -> None:
        """Drop the body of an answer to HEAD. Sanic's own is not awaitable, but awaited."""
        super().head_response_ignored(data, end_stream)

    async def error_response(self, exception: Exception) -> None:
        """Answer with an error, which even a client that still sends its head can read."""
        await super().error_response(exception)
        if isinstance(exception, HeadTooLarge):
            try:
                async with asyncio.timeout(LINGER_SECONDS):
                    while True:
                        self.recv_buffer.clear()
                        await self._receive_more()
            except TimeoutError:
                pass

    async def read(self) -> bytes | None:
        """The next bytes of the body; None at its end.

        Sanic accepts no trailers, and an extension of a chunk only if it arrives at once.

        Raises:
            BadRequest: if the start of a chunk is invalid.
            PayloadTooLarge: if the body is larger than it may be.
        """
        body: Any = self.request_body
        if body == "chunked" and self.request_bytes_left == 0:
            if self.expecting_continue:
                self.expecting_continue = False
                await self._send(HTTP_CONTINUE)
            try:
                size = await self._chunk_size()
                if size == 0:
                    while line := await self._line():
                        if not _TRAILER.fullmatch(line):
                            raise BadRequest("Bad chunked encoding")
                    self.request_body = None
                    return None
            except BadRequest:
                self.keep_alive = False
                raise
            self.request_bytes_left = size
            self.request_bytes = (self.request_bytes or 0) + size
        return await super().read()

    async def pour(self, take: Callable[[bytes], None]) -> None:
        """Pass the whole body to `take`, which is called with each part.

        A part of a body that is not chunked is passed on by the callback that receives it: without
        a copy into the buffer and out of it, and without a turn of this task.

        Raises:
            Exception: as `read`, and what `take` raises.
        """
        while (data := await self.read()) is not None:
            take(data)
            del data
            body: Any = self.request_body
            if body is True and self.request_bytes_left and not self.recv_buffer:
                inlet = Inlet(self.request_bytes_left, take)
                try:
                    await cast(Protocol, self.protocol).pass_on(inlet)
                finally:
                    self.request_bytes_left = inlet.left

    async def _chunk_size(self) -> int:
        """The bytes of the next chunk; 0 for the last one, whose trailers are next."""
        if await self._line():  # the end of the head, or of the chunk before
            raise BadRequest("Bad chunked encoding")
        match = _CHUNK.fullmatch(await self._line())
        if match is None:
            raise BadRequest("Bad chunked encoding")
        return int(match[1], 16)

    async def _line(self) -> bytes:
        """The next line, without its end (RFC 9112, section 7.1)."""
        buffer = self.recv_buffer
        while (end := buffer.find(b"\r\n")) == -1 and len(buffer) <= CHUNK_LINE:
            await self._receive_more()
        line = bytes(buffer[:end])
        self._overhead += len(line)
        if end == -1 or len(line) > CHUNK_LINE or self._overhead > CHUNK_OVERHEAD:
            raise BadRequest("Bad chunked encoding")
        del buffer[: end + 2]
        return line

    def create_empty_request(self) -> None:
        """A stand-in for an unreadable request, even with an invalid URL: Sanic would fail at
        that a second time, with a trace and without an answer."""
        try:
            super().create_empty_request()
        except BadRequest:
            self.url = None
            super().create_empty_request()
        self.request.conn_info = self.protocol.conn_info


class Protocol(WebSocketProtocol):
    """One connection.

    Sanic counts its time-outs from the last byte that came, so one byte now and then keeps a
    request open for ever; here the head of a request, an unwanted body and a message of a
    socket have a time limit as a whole. The body of an upload has its own, in `read_form`.
    """

    HTTP_CLASS = Requests

    __slots__ = (
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

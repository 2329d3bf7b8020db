"""Requests read and answers written as Sanic does it, but bounded, and with trailers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Protocol, cast

from sanic.exceptions import BadRequest, PayloadTooLarge
from sanic.helpers import has_message_body
from sanic.http import Stage
from sanic.http.http1 import HTTP_CONTINUE, Http

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

    def fail(self, error: Exception) -> None:
        """End it: nothing more will come."""
        if not self.ended.done():
            self.ended.set_exception(error)


class Connection(Protocol):
    """What the requests of a connection need of it."""

    async def pass_on(self, inlet: Inlet) -> None:
        """Let the inlet take what is received, until it has ended."""


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

    @property
    def is_arriving(self) -> bool:
        """Whether parts of a request that has begun may still come."""
        if self.stage in (Stage.IDLE, Stage.REQUEST):
            return bool(self.recv_buffer)
        body: Any = self.request_body
        left = self.request_bytes_left or 0
        return body == "chunked" or (bool(body) and left > len(self.recv_buffer))

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
                    await cast(Connection, self.protocol).pass_on(inlet)
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

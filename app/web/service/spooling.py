"""Incoming bodies: how much of them is kept in memory, and how long they may take."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterator

from sanic import HTTPResponse, Request
from sanic.exceptions import SanicException

from app.core.errors import SizeExceeded, TinyImageError, UploadTimeout
from app.web.guard.record import record_of
from app.web.serve.connection import (
    body_of,
    close_after,
    has_body_left,
    next_part,
    pour,
    stop_reading,
)
from app.web.serve.http1 import LINGER_SECONDS

SPOOL_MEMORY = 1024 * 1024
"""Bytes of a picture kept in memory before it goes to disk: most photographs of the web, which have
some 600 KB, never do, and as many as `CROWD` at once take 50 MB."""

CROWD = 50
"""Uploads at once from which on a further one goes to disk from its first bytes: so thousands that
send one byte a second take no more memory than their connections."""

CROWD_SPOOL_MEMORY = 8 * 1024


class Spooling:
    """How uploads are taken by this process, and how many are arriving.

    Args:
        max_size: bytes of the largest accepted picture.
        seconds: how long the body of one upload may take.
    """

    def __init__(self, max_size: int, seconds: float) -> None:
        self.max_size = max_size
        self.seconds = seconds
        self._open = 0

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Count an upload as arriving; gives the bytes of it that may stay in memory."""
        self._open += 1
        try:
            yield SPOOL_MEMORY if self._open <= CROWD else CROWD_SPOOL_MEMORY
        finally:
            self._open -= 1

    async def parts(self, request: Request, limit: int) -> AsyncGenerator[bytes, None]:
        """The body of the request, a part at a time. Close it when it is left before its end.

        Raises:
            SizeExceeded: if it has more than `limit` bytes; at once, if its Content-Length says so.
            UploadTimeout: if it does not arrive in time.
        """
        count = self._counting(request, limit)
        ends = asyncio.get_running_loop().time() + self.seconds
        while True:
            # Around each part alone: a generator may not wait for its reader within a timeout.
            try:
                async with asyncio.timeout_at(ends):
                    data = await next_part(request)
            except TimeoutError:
                raise self._too_slow() from None
            if data is None:
                return
            count(data)
            yield data

    async def pour(self, request: Request, limit: int, take: Callable[[bytes], None]) -> None:
        """Pass the body of the request to `take`, a part at a time, which costs less than `parts`.

        Raises:
            Exception: as `parts`, and what `take` raises.
        """
        count = self._counting(request, limit)

        def take_counted(data: bytes) -> None:
            count(data)
            take(data)

        try:
            async with asyncio.timeout(self.seconds):
                await pour(request, take_counted)
        except TimeoutError:
            raise self._too_slow() from None

    def _counting(self, request: Request, limit: int) -> Callable[[bytes], None]:
        """A function that counts a part of the body, for the access log too.

        Raises:
            SizeExceeded: if the body will be too large.
        """
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise too_large(self.max_size)
        record = record_of(request)

        def count(data: bytes) -> None:
            record.bytes_in += len(data)
            if record.bytes_in > limit:
                raise too_large(self.max_size)

        return count

    def _too_slow(self) -> UploadTimeout:
        return UploadTimeout(f"The upload took more than {self.seconds:g} s")


async def refuse(
    request: Request,
    error: TinyImageError,
    respond: Callable[[Request, TinyImageError], HTTPResponse],
    limit: int,
) -> None:
    """Answer a request with an error while its body is still on its way, and drop the rest of it.

    Args:
        limit: bytes of the body that are read at most.

    Raises:
        TinyImageError: the error itself, if the whole body has come: it is answered as any other.
    """
    if not has_body_left(request):
        raise error
    close_after(request)
    sent = await request.respond(respond(request, error))
    await sent.send(end_stream=True)
    await discard_rest(request, limit)


async def discard_rest(request: Request, limit: int) -> None:
    """Read and drop what a client still sends, `limit` bytes and `LINGER_SECONDS` at most.

    The connection is not used again.
    """
    if not has_body_left(request):
        return
    received = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            async for data in body_of(request):
                received += len(data)
                if received > limit:
                    break
    except (TimeoutError, SanicException):
        pass
    finally:
        stop_reading(request)


def too_large(max_size: int) -> SizeExceeded:
    """The error with the largest size of a picture."""
    return SizeExceeded(f"The picture is larger than {max_size} bytes")

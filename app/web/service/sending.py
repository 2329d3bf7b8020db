"""A stored result on its way out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping

from sanic import HTTPResponse, Request

from app.core.errors import NotFound
from app.core.storage.interface import ObjectNotFound, StoredObject
from app.web.guard.record import record_of
from app.web.service.conversions import Conversions, Result


@contextlib.contextmanager
def opened(conversions: Conversions, result: Result) -> Iterator[StoredObject]:
    """The result, open.

    Raises:
        NotFound: if it has gone meanwhile.
    """
    try:
        stored = conversions.open(result)
    except ObjectNotFound:
        raise NotFound("There is no such result") from None
    with contextlib.closing(stored):
        yield stored


async def send(
    request: Request,
    stored: StoredObject,
    start: int,
    end: int,
    *,
    status: int,
    headers: Mapping[str, str],
    media_type: str,
) -> HTTPResponse | None:
    """Answer a GET or HEAD with the bytes of an object from `start` up to, without, `end`.

    Returns:
        the response, or None if it has been streamed.

    Raises:
        NotFound: if it has gone meanwhile.
    """
    headers = {**headers, "Content-Length": str(end - start)}
    if request.method == "HEAD":
        return HTTPResponse(status=status, headers=headers, content_type=media_type)
    parts = stored.stream(start, end)
    try:
        # The first part comes before the headers: a file that is gone is a clean 404.
        first = await anext(parts, b"")
    except ObjectNotFound:
        raise NotFound("There is no such result") from None
    if len(first) == end - start:
        await anext(parts, b"")  # ends them, which is left to a task of its own otherwise
        return HTTPResponse(first, status=status, headers=headers, content_type=media_type)
    await _stream(request, first, parts, HTTPResponse(None, status, headers, media_type))
    return None


async def _stream(
    request: Request, first: bytes, parts: AsyncIterator[bytes], head: HTTPResponse
) -> None:
    """Send a part after the other."""
    record = record_of(request)
    record.streamed, record.outcome = True, "disconnected"
    try:
        response = await request.respond(
            status=head.status, headers=head.headers, content_type=head.content_type
        )
        await response.send(b"", False)
        await response.send(first)
        record.bytes_out = len(first)
        async for data in parts:
            await response.send(data)
            record.bytes_out += len(data)
        await response.eof()
        record.outcome = "ok"
    finally:
        record.write()

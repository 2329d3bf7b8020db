"""One result as a file: its headers, conditional and range requests, its bytes as a stream."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from sanic import HTTPResponse, Request

from app.core.errors import NotFound, PreconditionFailed
from app.core.picture.filenames import content_disposition
from app.core.storage import ObjectNotFound, StoredObject
from app.web.guard.record import record_of
from app.web.http.ranges import Condition, Version, parse_range
from app.web.service.conversions import Conversions, Result

REDIRECT_SECONDS = 300
"""How long a URL of the storage is good. It is followed at once; the rest is for clocks that differ
and for a download that is broken off and taken up again."""

JOINED_SIZE = 32 * 1024
"""Bytes of a body that goes out as one with its head; of a larger one that would be a copy."""


async def send_result(
    request: Request,
    conversions: Conversions,
    result: Result,
    cache_seconds: int,
    *,
    named: bool,
    redirect: bool = False,
) -> HTTPResponse | None:
    """Answer a GET or HEAD with the result.

    Args:
        cache_seconds: how long a cache may keep it; 0 if it is to ask each time.
        named: whether the request can mean no other result.
        redirect: whether to send the client to the storage, if that can hand out the result.

    Returns:
        the response, or None if it has been streamed.

    Raises:
        NotFound: if the result has gone meanwhile.
        PreconditionFailed: if the client means another version of it.
        RangeNotSatisfiable: if the range begins behind its end.
    """
    with _opened(conversions, result) as stored:
        conversion, size = result.job.conversion, stored.info.size
        etag = f'"{conversion.job_id}.{result.job.token}"'
        version = Version(etag, stored.info.modified, only_one=named)
        headers = {
            "ETag": etag,
            "Last-Modified": version.last_modified,
            "Cache-Control": (
                f"public, max-age={cache_seconds}, immutable" if cache_seconds else "no-cache"
            ),
            "Content-Disposition": content_disposition(result.job.filename, conversion.format),
            "Accept-Ranges": "bytes",
            "X-Content-Type-Options": "nosniff",
        }
        condition = version.check(request.headers)
        if condition is Condition.NOT_MODIFIED:
            return HTTPResponse(status=304, headers=headers)
        if condition is Condition.FAILED:
            raise PreconditionFailed("The file is another version")
        if redirect and (
            url := await conversions.presign(result, request.method, REDIRECT_SECONDS)
        ):
            # 302: with GET and HEAD each client asks again as it did. No cache may keep the
            # address: it is good for all, and not for long.
            return HTTPResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})
        current = version.is_same(request.headers.get("if-range"))
        part = parse_range(request.headers.get("range") if current else None, size)
        start, end = (part.start, part.end) if part else (0, size)
        if part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        headers["Content-Length"] = str(end - start)
        status, media_type = 206 if part else 200, conversion.format.media_type
        if request.method == "HEAD":
            return HTTPResponse(status=status, headers=headers, content_type=media_type)
        parts = stored.stream(start, end)
        try:
            # The first part comes before the headers: a file that is gone is a clean 404.
            first = await anext(parts, b"")
        except ObjectNotFound:
            raise NotFound("There is no such result") from None
        if len(first) == end - start <= JOINED_SIZE:
            return HTTPResponse(first, status=status, headers=headers, content_type=media_type)
        await _stream(
            request, first, parts, status=status, headers=headers, content_type=media_type
        )
        return None


@contextlib.contextmanager
def _opened(conversions: Conversions, result: Result) -> Iterator[StoredObject]:
    try:
        stored = conversions.open(result)
    except ObjectNotFound:
        raise NotFound("There is no such result") from None
    with contextlib.closing(stored):
        yield stored


async def _stream(
    request: Request, first: bytes, parts: AsyncIterator[bytes], **answer: Any
) -> None:
    """Send a part after the other.

    Args:
        answer: what `Request.respond` takes.
    """
    record = record_of(request)
    record.streamed, record.outcome = True, "disconnected"
    try:
        response = await request.respond(**answer)
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


def remaining_seconds(result: Result, max_age_seconds: float) -> int:
    """Seconds until the result is deleted."""
    return max(0, int(result.info.modified.timestamp() + max_age_seconds - time.time()))

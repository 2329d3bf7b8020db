"""One result as a file: its headers, conditional and range requests, its bytes as a stream."""

from __future__ import annotations

import time

from sanic import HTTPResponse, Request

from app.core.errors import PreconditionFailed
from app.core.picture.filenames import content_disposition
from app.web.http.ranges import Condition, Version, parse_range
from app.web.service.conversions import Conversions, Result
from app.web.service.sending import opened, send

REDIRECT_SECONDS = 300
"""How long a URL of the storage is valid. It is followed at once; the rest is for differing clocks
and for a download that is interrupted and resumed."""


async def send_result(
    request: Request,
    conversions: Conversions,
    result: Result,
    cache_seconds: int,
    *,
    named: bool,
    redirect: bool,
) -> HTTPResponse | None:
    """Answer a GET or HEAD with the result.

    Args:
        cache_seconds: how long a cache may keep it; 0 if it must ask each time.
        named: whether the request can mean only this result.
        redirect: whether to send the client to the storage, if that can sign URLs.

    Returns:
        the response, or None if it has been streamed.

    Raises:
        NotFound: if the result has gone meanwhile.
        PreconditionFailed: if the client means another version of it.
        RangeNotSatisfiable: if the range begins after its end.
    """
    conversion = result.job.conversion
    etag = f'"{conversion.job_id}.{result.job.token}"'
    version = Version(etag, result.info.modified, only_one=named)
    headers = {
        "ETag": etag,
        "Last-Modified": version.last_modified,
        "Cache-Control": (
            f"public, max-age={cache_seconds}, immutable" if cache_seconds else "no-cache"
        ),
        "Content-Disposition": content_disposition(result.job.filename, result.format),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    condition = version.check(request.headers)
    if condition is Condition.NOT_MODIFIED:
        return HTTPResponse(status=304, headers=headers)
    if condition is Condition.FAILED:
        raise PreconditionFailed("The file is another version")
    if redirect and (url := await conversions.presign(result, request.method, REDIRECT_SECONDS)):
        # 302: with GET and HEAD each client repeats its method. No cache may keep the
        # address: it works for everyone, and only for a short time.
        return HTTPResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})
    with opened(conversions, result) as stored:
        size = stored.info.size
        current = version.is_same(request.headers.get("if-range"))
        part = parse_range(request.headers.get("range") if current else None, size)
        start, end = (part.start, part.end) if part else (0, size)
        if part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        return await send(
            request,
            stored,
            start,
            end,
            status=206 if part else 200,
            headers=headers,
            media_type=result.format.media_type,
        )


def remaining_seconds(result: Result, max_age_seconds: float) -> int:
    """Seconds until the result is deleted."""
    return max(0, int(result.info.modified.timestamp() + max_age_seconds - time.time()))

"""A body in JSON, which is held in memory: bounded, and read to its end."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator

from sanic import Request

from app.core.errors import InvalidJSON, SizeExceeded
from app.web.service.spooling import Spooling


async def read_body(request: Request, spooling: Spooling, limit: int, what: str) -> bytes:
    """All of the body.

    Args:
        limit: bytes of the largest one that is read.
        what: it is, for the error.

    Raises:
        SizeExceeded: if it is larger; at once, if its Content-Length says so.
        UploadTimeout: if it does not come in time.
    """
    parts = spooling.parts(request, limit)
    try:
        async with contextlib.aclosing(parts):
            return await read_rest(b"", parts, limit, what)
    except SizeExceeded:
        raise _too_large(limit, what) from None


async def read_rest(begun: bytes, parts: AsyncIterator[bytes], limit: int, what: str) -> bytes:
    """A body of which some has come. Arguments as of `read_body`.

    Raises:
        SizeExceeded: if all of it is larger.
    """
    body = bytearray(begun)
    while len(body) <= limit:
        data = await anext(parts, None)
        if data is None:
            return bytes(body)
        body += data
    raise _too_large(limit, what)


def parse(body: bytes) -> object:
    """What the JSON says, in UTF-8, -16 or -32, with or without a mark before it.

    Raises:
        InvalidJSON: if it is something else.
    """
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidJSON("The body is not JSON") from None
    return value


def _too_large(limit: int, what: str) -> SizeExceeded:
    return SizeExceeded(f"{what} of more than {limit} bytes is not read")

"""Actions on a request's connection that Sanic does not offer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

from sanic import Request
from sanic.http.http1 import Http

from app.web.serve.http1 import Requests


async def next_part(request: Request) -> bytes | None:
    """The next bytes of the body of a streamed request; None at its end."""
    return await _stream(request).read()


async def pour(request: Request, take: Callable[[bytes], None]) -> None:
    """Pass the body of a streamed request to `take`, a part at a time.

    Raises:
        Exception: what `take` raises.
    """
    await cast(Requests, request.stream).pour(take)


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The body of a streamed request, a part at a time."""
    while (data := await next_part(request)) is not None:
        yield data


def has_body_left(request: Request) -> bool:
    """Whether parts of the body may still arrive."""
    return bool(_stream(request).request_body)


def close_after(request: Request) -> None:
    """Close the connection after the answer."""
    _stream(request).keep_alive = False


def cut_off(request: Request) -> None:
    """End the connection in the middle of an answer: a client that counts no bytes would take what
    it has for the whole."""
    cast(asyncio.Transport, request.transport).abort()


def stop_reading(request: Request) -> None:
    """Let Sanic read no more of the body; the connection is not reused."""
    _stream(request).request_body = None
    close_after(request)


def stay_http(request: Request) -> None:
    """Ignore a request to upgrade to a socket: Sanic drops its time-outs for any such request,
    on any route."""
    _stream(request).upgrade_websocket = False


def _stream(request: Request) -> Http:
    return cast(Http, request.stream)

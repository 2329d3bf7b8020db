"""What is done with the connection of a request that Sanic has no words for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from sanic import Request
from sanic.http.http1 import Http


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The body of a streamed request, a part at a time."""
    while (data := await _stream(request).read()) is not None:
        yield data


def has_body_left(request: Request) -> bool:
    """Whether some of the body may still be on its way."""
    return bool(_stream(request).request_body)


def close_after(request: Request) -> None:
    """Have the connection closed behind the answer."""
    _stream(request).keep_alive = False


def stop_reading(request: Request) -> None:
    """Have Sanic read no more of the body; the connection is not used again."""
    _stream(request).request_body = None
    close_after(request)


def stay_http(request: Request) -> None:
    """Take a wish to become a socket for none: Sanic drops its time-outs for whatever asks to
    become one, on any route."""
    _stream(request).upgrade_websocket = False


def _stream(request: Request) -> Http:
    return cast(Http, request.stream)

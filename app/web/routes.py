"""Routes that are read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from sanic import Blueprint, HTTPResponse

from app.web.docs.operation import Operation, documented

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


def readable(blueprint: Blueprint, path: str, operation: Operation) -> Callable[[Handler], Handler]:
    """The decorator for the handler of GET and of HEAD (RFC 9110, section 9.3.2): Sanic sends the
    same headers to both, and a body to GET alone.

    Args:
        operation: what GET does; what HEAD does follows from it.
    """

    def add(handler: Handler) -> Handler:
        # A function of its own, as sanic-ext knows operations by their handlers.
        @wraps(handler)
        async def head(*args: Any, **kwargs: Any) -> HTTPResponse | None:
            return await handler(*args, **kwargs)

        documented(operation)(handler)
        documented(operation.head)(head)
        blueprint.add_route(handler, path, methods=["GET"])
        blueprint.add_route(head, path, methods=["HEAD"], name=f"{handler.__name__}_head")
        return handler

    return add

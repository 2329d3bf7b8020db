"""Routes for GET and HEAD."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from sanic import Blueprint, HTTPResponse

from app.web.docs.operation import Operation, documented

Handler = Callable[..., Coroutine[Any, Any, HTTPResponse | None]]


def readable(
    blueprint: Blueprint, path: str, operation: Operation, *, checks_key: bool = False
) -> Callable[[Handler], Handler]:
    """The decorator for the handler of GET and of HEAD (RFC 9110, section 9.3.2): Sanic sends the
    same headers to both, and a body to GET alone.

    Args:
        checks_key: whether the handler asks for the API key itself.
    """

    def add(handler: Handler) -> Handler:
        blueprint.add_route(
            documented(operation)(handler),
            path,
            methods=["GET", "HEAD"],
            ctx_is_open=operation.is_open,
            ctx_checks_key=checks_key,
        )
        return handler

    return add

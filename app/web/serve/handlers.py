"""The handlers of routes, taken as they are."""

from __future__ import annotations

from typing import Any

from sanic.mixins.routes import RouteMixin


def leave_unparsed() -> None:
    """Have Sanic not look for the format of errors in the source of each handler, which it parses
    for that: 1.5 ms of CPU for each of a start. All errors are JSON here, by `JSONErrorHandler`."""
    RouteMixin._determine_error_format = _json  # type: ignore[method-assign]


def _json(self: Any, handler: Any) -> str:
    return "json"

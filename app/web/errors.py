"""Every error of the HTTP API as JSON: `{"error": code, "message": text}`."""

from __future__ import annotations

import http
import logging

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import RequestCancelled, SanicException
from sanic.handlers import ErrorHandler
from sanic.response import json

from app.core.errors import StorageError, TinyImageError, Unavailable
from app.web.guard.record import record_of

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""What the log says of a client that did not wait for its answer, as nginx has it."""


def _code_of(status: http.HTTPStatus) -> str:
    """The code of an error of Sanic's own: the phrase of its status."""
    return status.phrase.lower().replace(" ", "_").replace("-", "_")


SANIC_CODES = (
    *map(
        _code_of,
        (
            http.HTTPStatus.BAD_REQUEST,
            http.HTTPStatus.METHOD_NOT_ALLOWED,
            http.HTTPStatus.REQUEST_TIMEOUT,
            http.HTTPStatus.EXPECTATION_FAILED,
            http.HTTPStatus.UPGRADE_REQUIRED,
        ),
    ),
    # The phrase of 413, which Python 3.13 has changed.
    "request_entity_too_large",
    "content_too_large",
)
"""The codes of Sanic's own errors: of requests that reach no operation, or cannot be read."""


class JSONErrorHandler(ErrorHandler):
    """Answers with the error's own code and status; what is not foreseen is only logged."""

    def default(self, request: Request, exception: BaseException) -> HTTPResponse:
        """The response to an exception that no handler took."""
        if isinstance(exception, RequestCancelled):
            record_of(request).outcome = "disconnected"
            return json({"error": "disconnected"}, status=CLIENT_CLOSED_REQUEST)
        if isinstance(exception, RedisError):
            exception = queue_unavailable(exception)
        if isinstance(exception, StorageError):
            logger.error("storage: %s: %s", exception, exception.__cause__)
        if isinstance(exception, TinyImageError):
            return error_response(request, exception)
        if isinstance(exception, SanicException) and exception.status_code < 500:
            status = http.HTTPStatus(exception.status_code)
            code = _code_of(status)
            record_of(request).outcome = code
            return json(
                {"error": code, "message": str(exception)},
                status=status,
                headers=exception.headers,
            )
        if isinstance(exception, SanicException) and exception.status_code == 503:
            return error_response(request, Unavailable("The server took too long; try again"))
        logger.error("%s %s", request.method, request.path, exc_info=exception)
        return error_response(request, TinyImageError(TinyImageError.example))


def queue_unavailable(error: RedisError) -> Unavailable:
    """What a client is told of a Redis that is gone, or takes nothing: it loads, or its own disk is
    full. What Redis said is logged."""
    logger.error("Redis: %s", error)
    return Unavailable("The queue cannot be reached; try again")


def error_response(request: Request, error: TinyImageError) -> HTTPResponse:
    """The response that tells a client of the error."""
    record_of(request).outcome = error.code
    return json(
        {"error": error.code, "message": str(error), **error.details},
        status=error.status,
        headers={**error.headers},
    )

"""Every error of the HTTP API as JSON: `{"error": code, "message": text}`."""

from __future__ import annotations

import http
import logging

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import RequestCancelled, SanicException
from sanic.handlers import ErrorHandler
from sanic.response import json

from app.core.errors import StorageError, TinyImageError, Unauthorized, Unavailable
from app.web.auth import CHALLENGE
from app.web.record import record_of

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""What the log says of a client that did not wait for its answer, as nginx has it."""


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
            code = status.phrase.lower().replace(" ", "_").replace("-", "_")
            record_of(request).outcome = code
            return json(
                {"error": code, "message": str(exception)},
                status=status,
                headers=exception.headers,
            )
        if isinstance(exception, SanicException) and exception.status_code == 503:
            return error_response(request, Unavailable("The server took too long; try again"))
        record_of(request).outcome = "internal_error"
        logger.error("%s %s", request.method, request.path, exc_info=exception)
        return json(
            {"error": "internal_error", "message": "Something went wrong on the server"}, status=500
        )


def queue_unavailable(error: RedisError) -> Unavailable:
    """What a client is told of a Redis that is gone, or takes nothing: it loads, or its own disk is
    full. What Redis said is logged."""
    logger.error("Redis: %s", error)
    return Unavailable("The queue cannot be reached; try again")


def error_response(request: Request, error: TinyImageError) -> HTTPResponse:
    """The response that tells a client of the error."""
    record_of(request).outcome = error.code
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = CHALLENGE
    return json(
        {"error": error.code, "message": str(error), **error.details},
        status=error.status,
        headers=headers,
    )

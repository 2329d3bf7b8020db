"""Every error of the HTTP API as JSON: `{"error": code, "message": text}`."""

from __future__ import annotations

import http
import logging

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler
from sanic.response import json

from app.core.errors import StorageError, TinyImageError, Unavailable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
"""When a client should try again if Redis cannot be reached."""


class JSONErrorHandler(ErrorHandler):
    """Answers with the error's own code and status; what is not foreseen is only logged."""

    def default(self, request: Request, exception: Exception) -> HTTPResponse:
        """The response to an exception that no handler took."""
        if isinstance(exception, RedisError):
            # Also one that is there and takes nothing: it is loading, or its own disk is full.
            logger.error("Redis: %s", exception)
            exception = Unavailable("The queue cannot be reached; try again")
        if isinstance(exception, StorageError):
            logger.error("storage: %s: %s", exception, exception.__cause__)
        if isinstance(exception, TinyImageError):
            return error_response(exception)
        if isinstance(exception, SanicException) and exception.status_code < 500:
            status = http.HTTPStatus(exception.status_code)
            code = status.phrase.lower().replace(" ", "_").replace("-", "_")
            return json(
                {"error": code, "message": str(exception)},
                status=status,
                headers=exception.headers,
            )
        if isinstance(exception, SanicException) and exception.status_code == 503:
            return error_response(Unavailable("The server took too long; try again"))
        logger.error("%s %s", request.method, request.path, exc_info=exception)
        return json(
            {"error": "internal_error", "message": "Something went wrong on the server"}, status=500
        )


def error_response(error: TinyImageError) -> HTTPResponse:
    """The response that tells a client of the error."""
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, Unavailable) else None
    return json({"error": error.code, "message": str(error)}, status=error.status, headers=headers)

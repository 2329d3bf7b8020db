"""Every error of the HTTP API as JSON: `{"error": code, "message": text}`."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping
from typing import Protocol

from redis.exceptions import RedisError
from sanic import HTTPResponse, Request
from sanic.exceptions import RequestCancelled, SanicException
from sanic.handlers import ErrorHandler
from sanic.response import json

from app.core.errors import StorageError, TinyImageError, Unavailable
from app.web.guard.record import record_of

logger = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499
"""The status in the log for a client that did not wait for its answer, as nginx logs it."""


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


class Words(Protocol):
    """How an API reports errors."""

    def speaks(self, request: Request) -> bool:
        """Whether a request, possibly without a known route, belongs to this API."""

    def respond(self, request: Request, error: TinyImageError) -> HTTPResponse:
        """The answer for an error."""

    def respond_otherwise(
        self, request: Request, status: int, message: str, headers: Mapping[str, str]
    ) -> HTTPResponse:
        """The answer to a request that reaches no operation, or cannot be read."""


class JSONErrorHandler(ErrorHandler):
    """Answers with the error's code and status; details of an unforeseen error are only logged."""

    def __init__(self, words: Words) -> None:
        """
        Args:
            words: of the API that reports errors in another way.
        """
        super().__init__()
        self._words = words

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
            return self._respond(request, exception)
        if isinstance(exception, SanicException) and exception.status_code < 500:
            status = http.HTTPStatus(exception.status_code)
            code = _code_of(status)
            record_of(request).outcome = code
            if self._words.speaks(request):
                return self._words.respond_otherwise(
                    request, status, str(exception), exception.headers
                )
            return json(
                {"error": code, "message": str(exception)},
                status=status,
                headers=exception.headers,
            )
        if isinstance(exception, SanicException) and exception.status_code == 503:
            return self._respond(request, Unavailable("The server took too long; try again"))
        logger.error("%s %s", request.method, record_of(request).path, exc_info=exception)
        return self._respond(request, TinyImageError())

    def _respond(self, request: Request, error: TinyImageError) -> HTTPResponse:
        if self._words.speaks(request):
            record_of(request).outcome = error.code
            return self._words.respond(request, error)
        return error_response(request, error)


def queue_unavailable(error: RedisError) -> Unavailable:
    """The error for a client when Redis is gone, or refuses commands, as while it loads or its disk
    is full. Redis's own message is logged."""
    logger.error("Redis: %s", error)
    return Unavailable()


def error_response(request: Request, error: TinyImageError) -> HTTPResponse:
    record_of(request).outcome = error.code
    return json(
        {"error": error.code, "message": str(error), **error.details},
        status=error.status,
        headers={**error.headers},
    )

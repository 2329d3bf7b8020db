"""The errors of the service in the words of TinyPNG, whose clients look at them."""

from __future__ import annotations

import http
from collections.abc import Mapping
from dataclasses import dataclass

from sanic import HTTPResponse, Request
from sanic.response import json

from app.core import errors
from app.core.errors import TinyImageError

COUNT_HEADER = "Compression-Count"

PATHS = ("/shrink", "/output", "/keys")
"""What is at these paths and below them is answered in these words, errors that reach no handler
included."""


@dataclass(frozen=True, slots=True)
class Told:
    """How an error is told."""

    status: int
    error: str
    message: str = "{}"
    """The message; {} stands for that of the error."""


BAD_REQUEST = Told(400, "Bad request", "Request is invalid: {}")

TABLE: Mapping[type[TinyImageError], Told] = {
    TinyImageError: Told(500, "InternalServerError"),
    errors.InvalidJSON: BAD_REQUEST,
    errors.InvalidOption: BAD_REQUEST,
    errors.UnsupportedFormat: BAD_REQUEST,
    errors.Transparent: BAD_REQUEST,
    errors.TooManyBytes: BAD_REQUEST,
    errors.UnknownMetadata: Told(400, "JSON validation error"),
    errors.InputMissing: Told(400, "InputMissing", "No input"),
    errors.ConversionInterrupted: Told(503, "Service unavailable"),
    errors.ProcessingFailed: Told(400, "Decode error", "Image could not be decoded: {}"),
    errors.SourceNotFound: Told(400, "Source not found"),
    errors.DeliveryFailed: Told(500, "Storage failed"),
    errors.Unauthorized: Told(401, "Unauthorized", "Credentials are invalid."),
    errors.NotAllowed: Told(403, "Forbidden"),
    errors.NotFound: Told(404, "Not found", "Resource not found or expired."),
    errors.UploadTimeout: Told(408, "Request timeout"),
    errors.SizeExceeded: Told(413, "Request entity too large"),
    errors.TooManyPixels: Told(413, "Request entity too large"),
    errors.NotAnImage: Told(415, "Unsupported media type", "File type is not supported. {}"),
    errors.RateLimited: Told(429, "TooManyRequests"),
    errors.CompressionsUsed: Told(429, "TooManyRequests", "Your monthly limit has been exceeded."),
    errors.HeadTooLarge: Told(431, "Request header fields too large"),
    errors.UnknownCoding: Told(501, "Not implemented"),
    errors.QueueFull: Told(503, "Service unavailable"),
    errors.Unavailable: Told(503, "Service unavailable"),
    errors.StorageFull: Told(507, "Insufficient storage"),
}
"""By class; one that is not here is told as its parent."""


def told(error: type[TinyImageError]) -> Told:
    """How errors of a class are told."""
    return next(TABLE[kind] for kind in error.__mro__ if kind in TABLE)


def speaks(request: Request) -> bool:
    """Whether a request is one of this API."""
    path = f"{request.path}/"
    return any(path.startswith(f"{each}/") for each in PATHS)


def respond(request: Request, error: TinyImageError) -> HTTPResponse:
    """The answer that tells of an error. Without `WWW-Authenticate`, at which some clients send the
    whole upload again."""
    as_told = told(type(error))
    headers = {k: v for k, v in error.headers.items() if k.lower() != "www-authenticate"}
    return _answer(request, as_told, str(error), headers)


def respond_otherwise(
    request: Request, status: int, message: str, headers: Mapping[str, str]
) -> HTTPResponse:
    """The answer to a request that reaches no operation, or cannot be read."""
    if status == http.HTTPStatus.NOT_FOUND:
        return respond(request, errors.NotFound())
    as_told = Told(status, http.HTTPStatus(status).phrase.capitalize())
    return _answer(request, as_told, message, headers)


def _answer(
    request: Request, as_told: Told, detail: str, headers: Mapping[str, str]
) -> HTTPResponse:
    return json(
        {"error": as_told.error, "message": as_told.message.replace("{}", detail).strip()},
        status=as_told.status,
        headers={**headers, **count_headers(request)},
    )


def count_headers(request: Request) -> dict[str, str]:
    """The compressions of the account, which every answer tells: 0 without a key, or with a wrong
    one. No header if Redis cannot be reached."""
    count: int | None = getattr(request.ctx, "compressions", 0)
    return {} if count is None else {COUNT_HEADER: str(count)}

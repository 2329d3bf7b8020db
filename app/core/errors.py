"""Errors that know their code and their HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class TinyImageError(Exception):
    """An error a client is told about: `code` for programs, the message for people."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    retry_after: int | None = None
    """Seconds after which the client may try again; None if that would change nothing."""

    @property
    def details(self) -> Mapping[str, object]:
        """What an answer over HTTP says beside the code and the message."""
        return {}


class InvalidJSON(TinyImageError):
    code = "invalid_json"
    status = 400


class InvalidForm(TinyImageError):
    """The body of an upload is not the multipart form it should be."""

    code = "invalid_form"
    status = 400


class UnsupportedFormat(TinyImageError):
    code = "unsupported_format"
    status = 400


class InvalidOption(TinyImageError):
    """An option is no such thing, or does not go with the others."""

    code = "invalid_option"
    status = 400


class DecodeError(TinyImageError):
    """`data` of a WebSocket message is not base64."""

    code = "decode_error"
    status = 400


class SizeExceeded(TinyImageError):
    code = "size_exceeded"
    status = 413


class HeadTooLarge(TinyImageError):
    """The line and the headers of a request are larger than a head may be."""

    code = "request_header_fields_too_large"
    status = 431


class UnknownCoding(TinyImageError):
    """A body comes in a transfer coding other than `chunked` (RFC 9112, section 6.1)."""

    code = "not_implemented"
    status = 501


class PreconditionFailed(TinyImageError):
    """The file is another version than the one the request is for (RFC 9110, section 13.1)."""

    code = "precondition_failed"
    status = 412


class NotAnImage(TinyImageError):
    code = "not_an_image"
    status = 415


class NotFound(TinyImageError):
    code = "not_found"
    status = 404


class ProcessingFailed(TinyImageError):
    """The picture was accepted, and could not be converted."""

    code = "processing_failed"
    status = 422


class Unavailable(TinyImageError):
    """Something that is needed cannot be reached; the client may try again."""

    code = "unavailable"
    status = 503
    retry_after = 5


class NotReady(Unavailable):
    """What a picture needs is missing; `missing` says of each part what is wrong with it."""

    code = "not_ready"

    def __init__(self, missing: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{part}: {what}" for part, what in missing.items()))
        self.missing = missing

    @property
    def details(self) -> Mapping[str, object]:
        return {"missing": self.missing}


class StorageError(Unavailable):
    """The storage cannot be written or read."""

    code = "storage_unavailable"


class StorageFull(StorageError):
    """There is no room left in the storage."""

    code = "storage_full"
    status = 507


class Unauthorized(TinyImageError):
    """An API key is asked for, and none or a wrong one was given."""

    code = "unauthorized"
    status = 401


class RateLimited(TinyImageError):
    """More pictures than `limits.rate` allows."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class QueueFull(TinyImageError):
    """As many pictures as `limits.max_queue` allows are waiting."""

    code = "queue_full"
    status = 503
    retry_after = 30


class TooManySockets(TinyImageError):
    """As many sockets as `limits.sockets` or `limits.sockets_per_address` allows are open."""

    code = "too_many_sockets"
    status = 503
    retry_after = 30


class UploadTimeout(TinyImageError):
    """The body of an upload did not come within `limits.upload_timeout`."""

    code = "upload_timeout"
    status = 408

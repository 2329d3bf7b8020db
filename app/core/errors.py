"""Each error that clients can get, declared once.

A class has the code of its error, the status, where it occurs, an example
and the headers of its answer. The lists for the schema, the sockets, the counts and the docs
are derived from the classes by `errors_at`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ContextDecorator
from enum import Flag, auto
from typing import ClassVar

from imaging import errors
from imaging.formats import UNSUPPORTED

BEARER_CHALLENGE = 'Bearer realm="TinyImage Server"'

CHALLENGE = f'Basic realm="TinyImage Server", charset="UTF-8", {BEARER_CHALLENGE}'
"""How a key may be given, for `WWW-Authenticate` (RFC 9110, section 11.6.1)."""


class Where(Flag):
    """Where an error occurs. An operation of the schema names the members that apply to it."""

    REQUEST = auto()
    """Any HTTP request, before its route is known."""
    KEYED = auto()
    """HTTP requests that need an API key where keys are set."""
    READINESS = auto()
    """`GET /readyz`."""
    UPLOAD = auto()
    """`POST /upload`."""
    PICTURE = auto()
    """HTTP requests that ask about a picture: its status, its place in the queue, its result."""
    RESULT = auto()
    """`GET /download`."""
    ARCHIVE = auto()
    """`POST /archive`."""
    STREAM = auto()
    """`GET /events`."""
    OPENING = auto()
    """A WebSocket that is opened."""
    MESSAGE = auto()
    """A message of a WebSocket."""
    CONVERSION = auto()
    """A worker's conversion: the `error` of the details, counted by its code."""

    TINIFY = auto()
    """The Tinify API, which tells errors in its own words; docs/tinify.md."""

    HTTP = REQUEST | KEYED | READINESS | UPLOAD | PICTURE | RESULT | ARCHIVE | STREAM | OPENING


class TinyImageError(Exception):
    """Something went wrong on the server; its log says what."""

    # The base class of all errors for clients, and itself the unforeseen one.
    # Each docstring is its line in docs/api.md. A subclass without a `code` is reported as its
    # parent.

    code: ClassVar[str] = "internal_error"
    """For programs; the message of an error is for people."""
    status: ClassVar[int] = 500
    where: ClassVar[Where] = Where.KEYED | Where.MESSAGE
    example: ClassVar[str] = "Something went wrong on the server"
    """An example of the message, for the schema and the docs."""
    header_names: ClassVar[tuple[str, ...]] = ()
    """The headers that an HTTP answer has for this error; a class that has `retry_after` need not
    name Retry-After."""
    retry_after: int | None = None
    """Seconds after which the client may try again; None if a retry is useless."""

    def __init__(self, message: str = "") -> None:
        """
        Args:
            message: for people; the example without one.
        """
        super().__init__(message or self.example)

    def __init_subclass__(cls) -> None:
        if cls.retry_after is not None and "Retry-After" not in cls.header_names:
            cls.header_names = (*cls.header_names, "Retry-After")

    @property
    def details(self) -> Mapping[str, object]:
        """Further members of an answer over HTTP."""
        return {}

    @property
    def socket_details(self) -> Mapping[str, object]:
        """Further members of a socket's message, in the kept API."""
        return {}

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of an HTTP answer, those that `header_names` lists."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


class InvalidJSON(TinyImageError):
    """The message or the body is not JSON, or not such an object."""

    code = "invalid_json"
    status = 400
    where = Where.UPLOAD | Where.ARCHIVE | Where.MESSAGE
    example = "The message is not JSON"


class InvalidForm(TinyImageError):
    """Not a multipart form, neither `picture` nor `url`, or a form that cannot be read."""

    code = "invalid_form"
    status = 400
    where = Where.UPLOAD
    example = "There is no picture: send it as the file 'picture'"


class UnsupportedFormat(TinyImageError):
    """The format is unknown, or `same` is requested and the original's format cannot be written."""

    code = "unsupported_format"
    status = 400
    where = Where.UPLOAD | Where.ARCHIVE | Where.MESSAGE
    example = UNSUPPORTED


class InvalidOption(TinyImageError):
    """An invalid value, or options that conflict."""

    code = "invalid_option"
    status = 400
    where = Where.UPLOAD | Where.RESULT | Where.ARCHIVE | Where.STREAM | Where.MESSAGE
    example = "q should be a number from 1 to 100 (it is '200')"

    @property
    def socket_details(self) -> Mapping[str, object]:
        return {"detail": str(self)}  # only clients that use options get it


class UnknownMetadata(InvalidOption):
    """The metadata to keep is unknown."""

    code = "unknown_metadata"
    where = Where.TINIFY
    example = "Metadata key 'author' not supported"


class SourceNotFound(TinyImageError):
    """The URL cannot be fetched."""

    code = "source_not_found"
    status = 400
    where = Where.TINIFY | Where.MESSAGE
    example = "Server responded with 403"


class DeliveryFailed(TinyImageError):
    """A result cannot be stored in the client's bucket."""

    code = "storage_failed"
    where = Where.TINIFY
    example = "The bucket does not allow ACLs"


class DecodeError(TinyImageError):
    """`data` is not base64."""

    code = "decode_error"
    status = 400
    where = Where.MESSAGE
    example = "'data' is not base64"


class InputMissing(TinyImageError):
    """The body has no picture."""

    code = "input_missing"
    status = 400
    where = Where.TINIFY
    example = "No input"


class Unauthorized(TinyImageError):
    """An API key is required, and it is missing or wrong."""

    code = "unauthorized"
    status = 401
    where = Where.KEYED | Where.MESSAGE
    example = "An API key is required"
    header_names = ("WWW-Authenticate",)

    @property
    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": CHALLENGE}


class NotAllowed(TinyImageError):
    """The operator does not allow this format or option: `presets_only`, or the limits of the API
    key."""

    code = "not_allowed"
    status = 403
    where = Where.UPLOAD | Where.MESSAGE | Where.TINIFY
    example = "This API key gives webp, jpg, and not png"

    @property
    def socket_details(self) -> Mapping[str, object]:
        return {"detail": str(self)}


class NotFound(TinyImageError):
    """The picture or the result is unknown."""

    code = "not_found"
    status = 404
    where = Where.PICTURE | Where.MESSAGE
    example = "There is no such picture"


class ResultsMissing(NotFound):
    """Of an archive; `missing` says which of its files, 100 at most."""

    code = "results_missing"
    where = Where.ARCHIVE
    example = "1 of 40 results: not done, or deleted by now"

    def __init__(self, missing: Sequence[str], count: int, total: int) -> None:
        """
        Args:
            missing: how the request names them, as many as are told.
            count: how many there are.
            total: files of the archive.
        """
        super().__init__(f"{count} of {total} results: not done, or deleted by now")
        self.missing = missing

    @property
    def details(self) -> Mapping[str, object]:
        return {"missing": dict.fromkeys(self.missing, "there is no such result")}


class NotAcceptable(TinyImageError):
    """The `Accept` of the request does not take `text/event-stream` (RFC 9110, section 15.5.7)."""

    code = "not_acceptable"
    status = 406
    where = Where.STREAM
    example = "The answer is text/event-stream, which the Accept of the request does not take"


class UploadTimeout(TinyImageError):
    """The body did not arrive within `limits.upload_timeout`."""

    code = "upload_timeout"
    status = 408
    where = Where.UPLOAD | Where.ARCHIVE
    example = "The upload took more than 300 s"


class PreconditionFailed(TinyImageError):
    """The file has another version than the request names (RFC 9110, section 13.1)."""

    code = "precondition_failed"
    status = 412
    where = Where.RESULT
    example = "The file is another version"


class SizeExceeded(TinyImageError):
    """The picture is larger than `upload.max_upload_size`, or an archive has too many files."""

    code = "size_exceeded"
    status = 413
    where = Where.UPLOAD | Where.ARCHIVE | Where.MESSAGE
    example = "The picture is larger than 10485760 bytes"


class NotAnImage(TinyImageError):
    """The first bytes are not those of a readable picture; the message names a known
    unreadable format, such as PSD."""

    code = "not_an_image"
    status = 415
    where = Where.UPLOAD | Where.MESSAGE
    example = "The file is not a picture"


class RangeNotSatisfiable(TinyImageError):
    """The range begins after the end of the file (RFC 9110, section 15.5.17)."""

    code = "range_not_satisfiable"
    status = 416
    where = Where.RESULT
    example = "The file has 34567 bytes"
    header_names = ("Content-Range",)

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes")
        self.size = size

    @property
    def headers(self) -> Mapping[str, str]:
        return {"Content-Range": f"bytes */{self.size}"}


class ProcessingFailed(TinyImageError):
    """The picture was accepted, but could not be converted."""

    code = errors.PROCESSING_FAILED
    status = 422
    where = Where.MESSAGE | Where.CONVERSION
    example = "the picture cannot be read: not a BMP file"


class TooManyPixels(ProcessingFailed):
    """The header of the picture states more pixels, frames or pixels a side than `limits`
    allows."""

    code = errors.TOO_MANY_PIXELS
    where = Where.CONVERSION
    example = "20000 × 20000 is 400000000 pixels; at most 50000000 are converted"


class TooManyBytes(ProcessingFailed):
    """The picture gets no smaller than the message says, and `max_bytes` is less."""

    code = errors.TOO_MANY_BYTES
    where = Where.CONVERSION
    example = "the picture has at least 2310 bytes as jpg, more than the 1000 of max_bytes"


class Transparent(ProcessingFailed):
    """The picture is transparent, the format cannot hold it, and `alpha=refuse` was requested."""

    code = errors.TRANSPARENT
    where = Where.CONVERSION
    example = "the picture is transparent and jpg is not: give a background"


class ConversionInterrupted(ProcessingFailed):
    """The conversion was ended by something else than the picture: its worker died, the storage
    failed, or its time was over. Sent again, the picture is tried again."""

    code = "interrupted"
    status = 503
    where = Where.CONVERSION
    example = "the worker stopped each time it converted the picture"
    retry_after = 5


class Damaged(ProcessingFailed):
    """The file was cut off or its pixels are damaged, and `damaged=refuse` was requested."""

    code = errors.DAMAGED
    where = Where.CONVERSION
    example = "the picture is damaged: premature end of data segment"


class CompressionsUsed(TinyImageError):
    """The key has used up `limits.compressions` for this month."""

    code = "compressions_used"
    status = 429
    where = Where.TINIFY
    example = "Your monthly limit has been exceeded."


class RateLimited(TinyImageError):
    """More pictures than `limits.rate` allows."""

    code = "rate_limited"
    status = 429
    where = Where.UPLOAD | Where.MESSAGE
    example = "More than 100 pictures in 60 seconds; try again"
    header_names = ("Retry-After",)

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def socket_details(self) -> Mapping[str, object]:
        return {"retry_after": self.retry_after}


class HeadTooLarge(TinyImageError):
    """The request line and the headers have more than 32 KB."""

    code = "request_header_fields_too_large"
    status = 431
    where = Where.REQUEST
    example = "The head of the request is larger than 32768 bytes"


class UnknownCoding(TinyImageError):
    """The body comes in a transfer coding other than `chunked` (RFC 9112, section 6.1)."""

    code = "not_implemented"
    status = 501
    where = Where.UPLOAD | Where.ARCHIVE
    example = "The Transfer-Encoding should be only chunked"


class QueueFull(TinyImageError):
    """`limits.max_queue` pictures of this priority are waiting."""

    code = "queue_full"
    status = 503
    where = Where.UPLOAD | Where.MESSAGE
    example = "10000 pictures are waiting; try again"
    retry_after = 30


class TooManySockets(TinyImageError):
    """`limits.sockets` sockets and event streams are open, or `limits.sockets_per_address` from
    this address."""

    code = "too_many_sockets"
    status = 503
    where = Where.OPENING | Where.STREAM
    example = "Too many open sockets; try again later"
    retry_after = 30


class Unavailable(TinyImageError):
    """Redis cannot be reached."""

    code = "unavailable"
    status = 503
    where = Where.UPLOAD | Where.PICTURE | Where.ARCHIVE | Where.MESSAGE
    example = "The queue cannot be reached; try again"
    retry_after = 5


class StillProcessing(Unavailable):
    """The picture was not ready in time. Its job continues, and the same upload finds it."""

    code = "still_processing"
    where = Where.TINIFY
    example = "The picture is still being processed; try again"


class NotReady(Unavailable):
    """Only `/readyz`: `missing` names what is unavailable, and why."""

    code = "not_ready"
    where = Where.READINESS
    example = "workers: no worker takes pictures"

    def __init__(self, missing: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{part}: {what}" for part, what in missing.items()))
        self.missing = missing

    @property
    def details(self) -> Mapping[str, object]:
        return {"missing": self.missing}


class StorageError(Unavailable):
    """The storage cannot be read or written."""

    code = "storage_unavailable"
    where = Where.UPLOAD | Where.PICTURE | Where.ARCHIVE | Where.MESSAGE
    example = "The storage cannot be reached"


class StorageFull(StorageError):
    """The storage is full."""

    code = "storage_full"
    status = 507
    where = Where.UPLOAD | Where.MESSAGE
    example = "There is no room left in the storage"


def errors_at(where: Where) -> tuple[type[TinyImageError], ...]:
    """The errors that occur at any of these places, in the order of their declaration."""
    return tuple(error for error in _declared(TinyImageError) if error.where & where)


def codes_at(where: Where) -> tuple[str, ...]:
    """Their codes."""
    return tuple(error.code for error in errors_at(where))


def _declared(error: type[TinyImageError]) -> Iterator[type[TinyImageError]]:
    """The class and its subclasses that declare a code of their own."""
    if "code" in vars(error):
        yield error
    for below in error.__subclasses__():
        yield from _declared(below)


class told(ContextDecorator):  # noqa: N801 - used as a function
    """Turns imaging's refusals into errors for clients. Also a decorator of functions.

    Raises:
        InvalidOption, UnsupportedFormat, NotAnImage: in place of imaging's own.
    """

    # A class, as a generator takes twice as many calls, several times in each request.
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        match error:
            case errors.InvalidOption():
                raise InvalidOption(str(error)) from None
            case errors.UnsupportedFormat():
                raise UnsupportedFormat(str(error)) from None
            case errors.NotAnImage():
                raise NotAnImage(str(error)) from None

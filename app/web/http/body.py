"""The body of an upload, read as a form that spools its picture."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from sanic import Request
from sanic.exceptions import SanicException

from app.core.errors import InvalidForm, UploadTimeout
from app.core.storage.errors import as_storage_error
from app.web.guard.record import record_of
from app.web.http.form import SPOOL_MEMORY, Form, too_large
from app.web.serve.connection import body_of, has_body_left, stop_reading
from app.web.serve.protocol import LINGER_SECONDS

CROWD = 50
"""Uploads at once from which on a further one goes to disk from its first bytes: so thousands that
send one byte a second take no more memory than their connections."""

CROWD_SPOOL_MEMORY = 8 * 1024

FORM_OVERHEAD = 64 * 1024
"""Bytes that boundaries, headers and the other fields may take."""


class Spooling:
    """How uploads are taken by this process, and how many are on their way.

    Args:
        max_size: bytes of the largest picture taken.
        seconds: how long the body of one upload may take.
    """

    def __init__(self, max_size: int, seconds: float) -> None:
        self.max_size = max_size
        self.seconds = seconds
        self._open = 0

    @contextlib.contextmanager
    def opened(self) -> Iterator[int]:
        """Count an upload as on its way; gives the bytes of it that may stay in memory."""
        self._open += 1
        try:
            yield SPOOL_MEMORY if self._open <= CROWD else CROWD_SPOOL_MEMORY
        finally:
            self._open -= 1


async def read_form(request: Request, spooling: Spooling) -> Form:
    """Read the body of an upload.

    Returns:
        the complete form, to be used with `with`.

    Raises:
        InvalidForm: if the body is not a multipart form.
        SizeExceeded: if the body or its picture is too large.
        StorageError: if the picture cannot be spooled.
        UploadTimeout: if it does not come in time.
    """
    max_size = spooling.max_size
    try:
        content_type, options = parse_options_header(request.headers.get("content-type", ""))
    except UnicodeError:
        raise InvalidForm("The Content-Type cannot be read") from None
    boundary = options.get(b"boundary")
    if content_type != b"multipart/form-data" or not boundary:
        raise InvalidForm("The body is not multipart/form-data with a boundary")
    limit = max_size + FORM_OVERHEAD
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large(max_size)
    with spooling.opened() as spool_memory, contextlib.ExitStack() as held:
        try:
            form = held.enter_context(Form(boundary, max_size, spool_memory))
        except FormParserError as error:
            raise InvalidForm(f"The multipart body cannot be read: {error}") from None
        record = record_of(request)
        try:
            async with asyncio.timeout(spooling.seconds):
                async for data in body_of(request):
                    record.bytes_in += len(data)
                    if record.bytes_in > limit:
                        raise too_large(max_size)
                    try:
                        form.write(data)
                    except OSError as error:  # of the spool
                        raise as_storage_error(error) from error
        except TimeoutError:
            raise UploadTimeout(f"The upload took more than {spooling.seconds:g} s") from None
        held.pop_all()
    return form


async def discard_rest(request: Request, limit: int) -> None:
    """Read and drop what a client still sends, `limit` bytes and `LINGER_SECONDS` at most.

    The connection is not used again.
    """
    if not has_body_left(request):
        return
    received = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            async for data in body_of(request):
                received += len(data)
                if received > limit:
                    break
    except (TimeoutError, SanicException):
        pass
    finally:
        stop_reading(request)

"""The body of an upload, read as a form that spools its picture."""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from sanic import Request

from app.core.errors import InvalidForm
from app.core.storage.errors import as_storage_error
from app.web.http.form import Form
from app.web.service.spooling import Spooling

FORM_OVERHEAD = 64 * 1024
"""Bytes that boundaries, headers and the other fields may take."""


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
    with spooling.opened() as spool_memory:
        try:
            form = Form(boundary, max_size, spool_memory)
        except FormParserError as error:
            raise InvalidForm(f"The multipart body cannot be read: {error}") from None

        def take(data: bytes) -> None:
            try:
                form.write(data)
            except OSError as error:  # of the spool
                raise as_storage_error(error) from error

        try:
            await spooling.pour(request, max_size + FORM_OVERHEAD, take)
        except BaseException:
            form.close()
            raise
    return form

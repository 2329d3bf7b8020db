"""The list of files in the body of a request for an archive: JSON, or a form of a browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from sanic import Request

from app.core.errors import InvalidJSON, InvalidOption, SizeExceeded
from app.web.docs.schemas.batch import MAX_ARCHIVE_FILES
from app.web.http.content import FORM_TYPE, content_type
from app.web.service.json_body import parse, read_body
from app.web.service.spooling import Spooling

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a list of files: `MAX_ARCHIVE_FILES` with long paths."""

_MAX_FIELDS = 8


@dataclass(frozen=True, slots=True)
class Listed:
    """What the body holds."""

    files: Sequence[Any]
    """As they were written; none if there is a batch."""
    api_key: str | None
    """Of a form, which cannot have headers."""
    batch: object = None
    """The name of a batch, as it was written."""


def is_form(request: Request) -> bool:
    """Whether the body may be a form: curl, too, calls what it sends so. A page sends one, so that
    the browser itself saves the answer: a script would have to hold all of it in memory."""
    return content_type(request) == FORM_TYPE


async def read_list(request: Request, spooling: Spooling) -> Listed:
    """The list in the body.

    Raises:
        InvalidJSON: if the body holds neither a list nor the name of a batch.
        InvalidOption: if it holds both.
        SizeExceeded: if it is longer than it may be.
        UploadTimeout: if it does not come in time.
    """
    body = await read_body(request, spooling, MAX_BODY, "A list")
    api_key = batch = None
    # No form begins with a brace: browsers escape it.
    if is_form(request) and not body.lstrip().startswith(b"{"):
        fields = _fields(body)
        api_key, batch = fields.get("api_key"), fields.get("batch")
        files = parse(fields["files"].encode()) if "files" in fields else None
    else:
        given = parse(body)
        if isinstance(given, dict):
            files, batch = given.get("files"), given.get("batch")
        else:
            files = None
    if batch is not None:
        if files is not None:
            raise InvalidOption("files and batch exclude each other")
        return Listed([], api_key, batch)
    if not isinstance(files, list) or not files:
        raise InvalidJSON(
            "The body should be an object with a list 'files' that is not empty, or the name of a "
            "'batch'"
        )
    if len(files) > MAX_ARCHIVE_FILES:
        raise SizeExceeded(f"{len(files)} files; at most {MAX_ARCHIVE_FILES} are in an archive")
    return Listed(files, api_key)


def _fields(body: bytes) -> dict[str, str]:
    """The first value of each field.

    Raises:
        InvalidJSON: if it is not a form.
    """
    try:
        given = parse_qs(body.decode("utf-8"), max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidJSON("The form cannot be read") from None
    return {name: values[0] for name, values in given.items()}

"""Bodies of an upload without a file: the fields of a form, or of an object in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from sanic import Request

from app.core.errors import InvalidForm, InvalidJSON
from app.web.http.content import FORM_TYPE, content_type
from app.web.http.form import FIELDS, MAX_PARTS
from app.web.service.json_body import parse, read_body
from app.web.service.spooling import Spooling

MAX_BODY = 64 * 1024
"""Bytes of all fields."""

JSON_TYPE = "application/json"


async def read_fields(
    request: Request, spooling: Spooling, no_picture: str
) -> Mapping[str, object] | None:
    """The known fields in the body of a request, or None if its `Content-Type` is of another kind.

    Args:
        no_picture: what is said if there is no URL.

    Raises:
        InvalidForm: if it is another form, or names no URL.
        InvalidJSON: if it is not such an object.
        SizeExceeded: if it is larger than `MAX_BODY`.
        UploadTimeout: if it does not come in time.
    """
    kind = content_type(request)
    if kind not in (FORM_TYPE, JSON_TYPE):
        return None
    body = await read_body(request, spooling, MAX_BODY, "A form")
    given = _of_form(body) if kind == FORM_TYPE else _of_json(body)
    fields = {name: value for name, value in given.items() if name in FIELDS}
    if not fields.get("url"):
        raise InvalidForm(no_picture)
    return fields


def _of_form(body: bytes) -> Mapping[str, object]:
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_PARTS, errors="strict"
        )
    except ValueError:
        raise InvalidForm(f"The form is not UTF-8, or has more than {MAX_PARTS} fields") from None
    return dict(reversed(pairs))  # the first of several counts


def _of_json(body: bytes) -> Mapping[str, object]:
    given = parse(body)
    if not isinstance(given, dict):
        raise InvalidJSON("The body is not a JSON object")
    return given

"""What the body of a request is said to be."""

from __future__ import annotations

from sanic import Request

FORM_TYPE = "application/x-www-form-urlencoded"


def content_type(request: Request) -> str:
    """The media type of the body, in lower case and without parameters; "" without one."""
    given = str(request.headers.get("content-type", ""))
    return given.partition(";")[0].strip().lower()

"""The answers of operations: their contents and headers, and each error with an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.core.errors import CHALLENGE
from app.web.docs.schemas.parts import Schema, ref

Object = Mapping[str, Any]
"""An object of the schema, in OpenAPI 3.1."""

Responses = dict[str, Schema]
"""By status."""

Failure = tuple[int, str, str, Sequence[str]]
"""A status, a code, an example message, and the headers of the answer."""


def _header(description: str, type: str = "string", **more: Any) -> Schema:
    return {"description": description, "schema": {"type": type, **more}}


HEADERS: dict[str, Schema] = {
    "X-Request-ID": _header("The request in the server's log: the client's own id if it sent one."),
    "Retry-After": _header("Seconds after which to try again.", "integer", minimum=0),
    "WWW-Authenticate": _header("The ways to send a key.", example=CHALLENGE),
    "RateLimit": _header(
        "Remaining pictures, and the seconds until one more is allowed; only with the setting "
        "`limits.rate` (draft-ietf-httpapi-ratelimit-headers).",
        example='"pictures";r=99;t=60',
    ),
    "RateLimit-Policy": _header(
        "The allowed pictures, and the seconds of the window.", example='"pictures";q=100;w=60'
    ),
    "X-RateLimit-Limit": _header("The allowed pictures in the window.", "integer", minimum=1),
    "X-RateLimit-Remaining": _header("The remaining pictures.", "integer", minimum=0),
    "X-RateLimit-Reset": _header(
        "The time when one more is allowed, in seconds since 1970.", "integer"
    ),
    "ETag": _header("The identifier of exactly this file."),
    "Last-Modified": _header(
        "The time when the file was made.", example="Sun, 06 Nov 1994 08:49:37 GMT"
    ),
    "Cache-Control": _header(
        "How long a cache may keep it: until it is deleted, if the query names format, quality and "
        "options; otherwise it must ask each time.",
        example="no-cache",
    ),
    "Content-Disposition": _header(
        "The name of the picture, with the extension of its format.",
        example='attachment; filename="rocket.webp"',
    ),
    "Location": _header(
        "Its URL: a presigned URL of the storage, or the output of an upload, without a host for "
        "some clients over plain http.",
        format="uri-reference",
    ),
    "Preference-Applied": _header("The preference `wait`, if it was followed.", example="wait=20"),
    "Compression-Count": _header(
        "The compressions of the key in this month (UTC), 0 without a key.", "integer", minimum=0
    ),
    "Compression-Count-Remaining": _header(
        "The remaining compressions; only with the setting `limits.compressions`.",
        "integer",
        minimum=0,
    ),
    "Paying-State": _header("`paid`, or `free` with a limit.", enum=["free", "paid"]),
    "Image-Width": _header("Pixels.", "integer", minimum=1),
    "Image-Height": _header("Pixels.", "integer", minimum=1),
    "Accept-Ranges": _header("`bytes`."),
    "Content-Range": _header("The range of bytes, and the size.", example="bytes 0-1023/34567"),
}
"""The components for headers."""

USAGE_HEADERS = (
    "RateLimit",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)
"""Further headers of each answer to an upload, if there is a limit."""


def headers(*names: str) -> Schema:
    """The headers of an answer; all have X-Request-ID."""
    return {name: ref(name, "headers") for name in ("X-Request-ID", *names)}


def answer(description: str, schema: Schema, example: Any, *header_names: str) -> Schema:
    """An answer in JSON."""
    return {
        "description": description,
        "headers": headers(*header_names),
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def failures(
    *told: Failure, header_names: Sequence[str] = (), schema: Object | None = None
) -> Responses:
    """The error answers, one for each status, with an example for each code.

    Args:
        header_names: further headers of each, beside those of its errors.
        schema: of the answers, if not the component `Error`.
    """
    by_status: dict[int, list[Failure]] = {}
    for failure in told:
        by_status.setdefault(failure[0], []).append(failure)
    responses: Responses = {}
    for status, group in sorted(by_status.items()):
        examples = {
            code: {"value": {"error": code, "message": message}} for _, code, message, _ in group
        }
        own = {name for *_, names in group for name in names}
        responses[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in examples),
            "headers": headers(*sorted(own), *header_names),
            "content": {
                "application/json": {"schema": schema or ref("Error"), "examples": examples}
            },
        }
    return responses

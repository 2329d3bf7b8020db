"""What the operations of the Tinify API have in common, for the schema."""

from __future__ import annotations

from functools import partial
from typing import Any

from app.core import errors
from app.core.errors import TinyImageError
from app.web.docs.operation import TINIFY, Operation
from app.web.docs.responses import Failure, Object
from app.web.tinify.errors import told

EXAMPLE_ID = "r72h1n39uugta3p2yybnqukdj3rbwhv6"

ERROR: Object = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "description": "What went wrong, in TinyPNG's words."},
        "message": {"type": "string", "description": "For people; may change."},
    },
}


def an_object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    schema = {"type": "object", "properties": {**required, **(optional or {})}}
    return {**schema, "required": list(required)} if required else schema


NUMBER = {"type": "integer", "minimum": 0}
TEXT = {"type": "string"}


def as_tinify(error: type[TinyImageError], message: str) -> Failure:
    as_told = told(error)
    names = [name for name in error.header_names if name != "WWW-Authenticate"]
    return as_told.status, as_told.error, as_told.message.replace("{}", message), names


operation = partial(Operation, tag=TINIFY, error_schema=ERROR, words=as_tinify)
"""An operation of this API."""

ANY_PICTURE = {
    errors.StorageError: errors.StorageError.example,
    errors.StorageFull: errors.StorageFull.example,
    errors.Unavailable: errors.Unavailable.example,
    errors.QueueFull: errors.QueueFull.example,
    errors.ProcessingFailed: errors.ProcessingFailed.example,
    errors.ConversionInterrupted: errors.ConversionInterrupted.example,
    errors.TooManyPixels: errors.TooManyPixels.example,
    errors.RateLimited: errors.RateLimited.example,
    errors.SizeExceeded: errors.SizeExceeded.example,
    errors.UploadTimeout: errors.UploadTimeout.example,
    errors.UnknownCoding: errors.UnknownCoding.example,
    errors.InvalidJSON: "the body is not JSON",
}
"""What may come of any picture."""

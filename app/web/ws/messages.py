"""One message of a socket: a picture as JSON, or an API key."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from app.core.errors import DecodeError, InvalidJSON, InvalidOption, SizeExceeded, TinyImageError
from app.core.picture.conversion import ConversionRequest, parse_flag
from app.core.picture.filenames import clean_filename
from app.intake.intake import Intake
from app.intake.picture import Picture
from app.web.ws.encoded import decode_data

P = ParamSpec("P")
T = TypeVar("T")

MESSAGE_OVERHEAD = 64 * 1024
"""Bytes that the other fields of a message may take."""

URL = "url"
"""The member with the address of a picture, in place of its bytes."""

SHORT_MESSAGE = 16 * 1024
"""Characters of the longest message that names a picture without its bytes, and of the longest that
is read by the event loop, in 0.1 ms: to hand it to a thread and back takes as long."""

KEY_MESSAGE = 4 * 1024
"""Bytes of the largest message that is searched for a key."""


async def read_message(
    message: str | bytes, read: Callable[Concatenate[Any, P], T], *rest: P.args, **named: P.kwargs
) -> T:
    """What `read` makes of a whole message and further arguments; of a long one in a thread."""
    if len(message) <= SHORT_MESSAGE:
        return read(message, *rest, **named)
    return await asyncio.to_thread(read, message, *rest, **named)


@dataclass(frozen=True, slots=True)
class Order:
    """A message, decoded."""

    picture: Picture
    requested: ConversionRequest
    details: bool = False
    """Whether the answers have the details of the job."""


def max_message_size(max_upload_size: int) -> int:
    """Bytes of the largest message read.

    base64 takes 4/3 of a picture. A message of up to twice the largest picture is read and answered
    with `size_exceeded`; a larger one closes the socket with 1009, as it is not held in memory.
    """
    return 2 * max_upload_size * 4 // 3 + MESSAGE_OVERHEAD


def key_of_message(message: str | bytes) -> str | None:
    """The key of a message `{"api_key": key}`, or None if it is another one."""
    if len(message) > KEY_MESSAGE:
        return None
    try:
        fields = fields_of(message)
    except InvalidJSON:
        return None
    key = fields.get("api_key")
    is_picture = "data" in fields or fields.get("binary")
    return key if isinstance(key, str) and not is_picture else None


def short_fields(message: str | bytes, mark: str) -> Mapping[str, Any]:
    """The members of a message that is short and has `mark` in its text; none of another one, which
    has a picture."""
    if isinstance(message, bytes) or len(message) > SHORT_MESSAGE or mark not in message:
        return {}
    try:
        return fields_of(message)
    except InvalidJSON:
        return {}


def wants_details(message: str | bytes) -> bool:
    """Whether a message asks for details; for one that cannot be decoded."""
    try:
        return asks_for_details(fields_of(message))
    except InvalidJSON:
        return False


def asks_for_details(fields: Mapping[str, object]) -> bool:
    """Whether the fields of a message ask for details; False for an invalid value."""
    try:
        return parse_flag("details", fields.get("details"))
    except (TinyImageError, RecursionError):
        return False


def decode_message(message: str | bytes, intake: Intake, max_size: int) -> Order:
    """The order that a client's message holds.

    Raises:
        InvalidJSON: if it is not a JSON object.
        UnsupportedFormat: if there is no such format.
        InvalidOption: if an option is wrong.
        SizeExceeded: if the picture is larger than it may be.
        DecodeError: if `data` is not base64.
    """
    fields = fields_of(message)
    try:
        requested, filename = request_of(fields, intake)
        details = parse_flag("details", fields.get("details"))
        if parse_flag("binary", fields.get("binary")):  # others are taken as announcements
            raise InvalidOption("A binary message should be announced in a text message")
    except RecursionError:
        raise InvalidJSON("The message is nested too deeply") from None
    encoded = fields.get("data")
    if not isinstance(encoded, str) or not encoded:
        raise DecodeError("'data' is not base64")
    return order_of(decode_data(encoded, max_size), max_size, requested, filename, details)


def request_of(fields: Mapping[str, object], intake: Intake) -> tuple[ConversionRequest, str]:
    """The request in the fields of a message, and the name of the file.

    Raises:
        UnsupportedFormat: if there is no such format.
        InvalidOption: if an option is wrong, or there is a URL beside the picture.
        RecursionError: if they are nested too deeply.
    """
    if fields.get(URL) and (fields.get("data") or fields.get("binary")):
        raise InvalidOption("There are both a picture and a 'url': send one of them")
    filename = fields.get("filename")
    return intake.request(fields), clean_filename(filename if isinstance(filename, str) else "")


def order_of(
    data: bytes, max_size: int, requested: ConversionRequest, filename: str, details: bool
) -> Order:
    """The order of a picture.

    Raises:
        SizeExceeded: if it has more than `max_size` bytes.
    """
    if len(data) > max_size:
        raise SizeExceeded(f"The picture is larger than {max_size} bytes")
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return Order(Picture.of_bytes(data, md5, filename), requested, details)


def fields_of(message: str | bytes) -> dict[str, Any]:
    """The members of a message.

    Raises:
        InvalidJSON: if it is not a JSON object.
    """
    try:
        fields = json.loads(message)
    except (ValueError, RecursionError):
        raise InvalidJSON("The message is not JSON") from None
    if not isinstance(fields, dict):
        raise InvalidJSON("The message is not a JSON object")
    return fields

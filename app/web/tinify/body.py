"""Bodies: a picture, JSON, or nothing. The Content-Type is not believed: clients send raw bytes as
forms, and JSON as all kinds of things."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanic import Request

from app.core.errors import InvalidJSON, NotAnImage, told
from app.core.storage.errors import as_storage_error
from app.intake.picture import Picture
from app.web.service.json_body import read_body, read_rest
from app.web.service.sources import FILENAME
from app.web.service.spool import Spool
from app.web.service.spooling import Spooling
from app.web.tinify.commands import parse_json
from imaging.formats.recognise import HEAD_SIZE, readable_type

MAX_JSON = 100 * 1024
"""Bytes of commands, with all their keys and headers."""

NOTHING = (b"", b"null")
"""Bodies without a picture that are not a fault in themselves: an empty one, and an empty JSON."""

_MARK = b"\xef\xbb\xbf"
"""Of UTF-8, as some editors put it before a text."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that came in."""

    picture: Picture
    media_type: str
    """Of a kind that can be read, by its first bytes."""


async def read_upload(request: Request, spooling: Spooling) -> Upload | Mapping[str, Any] | None:
    """The picture in the body, or the members of an object in JSON, or None for an empty body and
    for null.

    Raises:
        NotAnImage: if it is something else; as soon as its first bytes say so.
        InvalidJSON: the same for what is declared as JSON, or begins as such.
        SizeExceeded: if it is larger than it may be.
        StorageError: if it cannot be spooled.
        UploadTimeout: if it does not come in time.
    """
    with spooling.opened() as spool_memory, contextlib.ExitStack() as held:
        spool = Spool(spool_memory)
        held.callback(spool.close)
        md5 = hashlib.md5(usedforsecurity=False)
        head, size = b"", 0
        parts = spooling.parts(request, spooling.max_size)
        async with contextlib.aclosing(parts):
            async for data in parts:
                known = len(head) >= HEAD_SIZE
                if not known:
                    head += data[: HEAD_SIZE - len(head)]
                    if _is_json(head):
                        spool.file.seek(0)
                        begun = spool.file.read() + data
                        return parse_json(await read_rest(begun, parts, MAX_JSON, "JSON"))
                    if len(head) >= HEAD_SIZE:
                        _kind(request, head)
                size += len(data)
                md5.update(data)
                try:
                    spool.write(data)
                except OSError as error:  # of the spool
                    raise as_storage_error(error) from error
        if head.removeprefix(_MARK).strip() in NOTHING:
            return None
        media_type = _kind(request, head)
        held.pop_all()
        return Upload(Picture(spool.file, md5.hexdigest(), size, FILENAME), media_type)


def fetched(picture: Picture) -> Upload:
    """A picture that did not come in a body.

    Raises:
        NotAnImage: if it is something else.
    """
    picture.file.seek(0)
    with told():
        return Upload(picture, readable_type(picture.file.read(HEAD_SIZE)))


async def read_json(request: Request, spooling: Spooling) -> Mapping[str, Any]:
    """The members of an object in JSON, without those that are null; none for an empty body.

    Raises:
        InvalidJSON: if it is something else.
        SizeExceeded: if it is larger than it may be.
        UploadTimeout: if it does not come in time.
    """
    return parse_json(await read_body(request, spooling, MAX_JSON, "JSON"))


def _is_json(head: bytes) -> bool:
    # No picture that is read begins so.
    return head.removeprefix(_MARK).lstrip().startswith(b"{")


def _kind(request: Request, head: bytes) -> str:
    try:
        with told():
            return readable_type(head)
    except NotAnImage:
        if request.headers.get("content-type", "").lower().startswith("application/json"):
            raise InvalidJSON("the body is neither an object in JSON nor a picture") from None
        raise

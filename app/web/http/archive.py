"""POST /archive: many results as one ZIP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sanic import Blueprint, HTTPResponse, Request

from app.core.config.settings import Settings
from app.core.errors import (
    InvalidJSON,
    InvalidOption,
    ResultsMissing,
    SizeExceeded,
    TinyImageError,
    UnsupportedFormat,
    Where,
)
from app.core.picture.conversion import parse_md5
from app.core.storage import ObjectNotFound
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import headers
from app.web.docs.schemas import EXAMPLE_MD5, MAX_ARCHIVE_FILES, ref
from app.web.errors import error_response
from app.web.guard.record import record_of
from app.web.http.entries import safe_path, told_apart
from app.web.serve.connection import cut_off
from app.web.service.conversions import Conversions, Result
from app.web.service.json_body import parse, read_body
from app.web.service.selection import Selection, selection_of
from app.web.service.sending import opened
from app.web.service.spooling import Spooling, refuse
from app.web.service.zipping import Entry, Zipping
from imaging.values import shown

logger = logging.getLogger(__name__)

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a list of files: `MAX_ARCHIVE_FILES` with long paths."""

MEDIA_TYPE = "application/zip"

_AT_ONCE = 100
"""Results that are looked up together."""

_NAMED = 100
"""Missing results that an error names."""

ARCHIVE = Operation(
    name="download_archive",
    tag=PICTURES,
    summary="Many results as one ZIP",
    description="Stored, not compressed again, and sent while it is made. Each file is named as "
    "`/status` names a conversion; what is left out is found as by a download. Paths keep their "
    "folders and cannot leave the archive; files of one path are told apart by a number. If a "
    "result is not there, the answer is an error that lists it, before the first byte.",
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": ref("Archive"),
                "example": {
                    "files": [{"md5": EXAMPLE_MD5, "format": "webp", "path": "beach/rocket.webp"}]
                },
            }
        },
    },
    answers={
        "200": {
            "description": "The ZIP.",
            "headers": headers("Cache-Control", "Content-Disposition"),
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    where=Where.KEYED | Where.ARCHIVE,
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file that is asked for."""

    md5: str
    selection: Selection
    path: str | None


def add_archive(blueprint: Blueprint, settings: Settings, conversions: Conversions) -> None:
    """Add the route."""
    spooling = Spooling(MAX_BODY, settings.limits.upload_timeout)

    @blueprint.post("/archive", stream=True)
    @documented(ARCHIVE)
    async def archive(request: Request) -> HTTPResponse | None:
        try:
            wanted = [
                _wanted(number, given, settings)
                for number, given in enumerate(await _files(request, spooling))
            ]
            results = await _found(conversions, wanted)
        except TinyImageError as error:
            await refuse(request, error, error_response, 2 * MAX_BODY)
            return None
        await _send(request, conversions, wanted, results)
        return None


async def _files(request: Request, spooling: Spooling) -> Sequence[Any]:
    """The list in the body.

    Raises:
        InvalidJSON: if the body holds no list.
        SizeExceeded: if it is longer than it may be.
        UploadTimeout: if it does not come in time.
    """
    given = parse(await read_body(request, spooling, MAX_BODY, "A list"))
    files = given.get("files") if isinstance(given, dict) else None
    if not isinstance(files, list) or not files:
        raise InvalidJSON("The body should be an object with a list 'files' that is not empty")
    if len(files) > MAX_ARCHIVE_FILES:
        raise SizeExceeded(f"{len(files)} files; at most {MAX_ARCHIVE_FILES} are in an archive")
    return files


def _wanted(number: int, given: object, settings: Settings) -> _Wanted:
    """What an entry of the list names.

    Raises:
        InvalidOption, UnsupportedFormat: if it cannot be understood; they say which entry.
    """
    try:
        if not isinstance(given, dict):
            raise InvalidOption(f"should be an object (it is {shown(given)})")
        md5 = parse_md5(given["md5"]) if isinstance(given.get("md5"), str) else None
        if md5 is None:
            raise InvalidOption(f"md5 should be 32 hex digits (it is {shown(given.get('md5'))})")
        path = given.get("path")
        if not isinstance(path, str | None):
            raise InvalidOption(f"path should be text (it is {shown(path)})")
        return _Wanted(md5, selection_of(given, settings), path)
    except (InvalidOption, UnsupportedFormat) as error:
        raise type(error)(f"files[{number}]: {error}") from None


async def _found(conversions: Conversions, wanted: Sequence[_Wanted]) -> list[Result]:
    """The results.

    Raises:
        ResultsMissing: if any is not there.
    """
    found: list[Result | None] = []
    for first in range(0, len(wanted), _AT_ONCE):
        found += await asyncio.gather(
            *(
                conversions.newest_result(one.md5, one.selection)
                for one in wanted[first : first + _AT_ONCE]
            )
        )
    results = [result for result in found if result is not None]
    if len(results) < len(wanted):
        missing = [f"files[{n}]" for n, result in enumerate(found) if result is None]
        raise ResultsMissing(missing[:_NAMED], len(missing), len(wanted))
    return results


async def _send(
    request: Request,
    conversions: Conversions,
    wanted: Sequence[_Wanted],
    results: Sequence[Result],
) -> None:
    paths = told_apart(
        [
            safe_path(one.path or _own_name(result), str(result.job.conversion.format))
            for one, result in zip(wanted, results, strict=True)
        ]
    )
    record = record_of(request)
    record.streamed, record.outcome = True, "disconnected"
    zipping = Zipping()
    try:
        response = await request.respond(
            headers={
                "Cache-Control": "no-store",
                "Content-Disposition": 'attachment; filename="pictures.zip"',
            },
            content_type=MEDIA_TYPE,
        )
        for path, result in zip(paths, results, strict=True):
            with opened(conversions, result) as stored:
                size = stored.info.size
                entry = Entry(path, size, stored.info.modified)
                async for part in zipping.add(entry, stored.stream(0, size)):
                    await response.send(part)
                    record.bytes_out += len(part)
        last = zipping.end()
        await response.send(last)
        record.bytes_out += len(last)
        await response.eof()
        record.outcome = "ok"
    except (TinyImageError, ObjectNotFound) as error:
        logger.warning("an archive is cut off: %s", error)
        record.outcome = "cut_off"
        cut_off(request)
    finally:
        record.write()


def _own_name(result: Result) -> str:
    stem, _, _ = result.job.filename.rpartition(".")
    return f"{stem or result.job.filename}.{result.job.conversion.format}"

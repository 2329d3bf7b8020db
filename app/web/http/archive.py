"""POST /archive: many results as one ZIP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sanic import Blueprint, HTTPResponse, Request

from app.core.config.settings import Settings
from app.core.errors import (
    InvalidOption,
    NotFound,
    ResultsMissing,
    TinyImageError,
    UnsupportedFormat,
    Where,
)
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.batch import parse_batch
from app.core.picture.conversion import parse_md5
from app.core.storage.interface import ObjectNotFound
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import headers
from app.web.docs.schemas.conversion import EXAMPLE_MD5
from app.web.docs.schemas.parts import ref, text
from app.web.errors import error_response
from app.web.guard.record import record_of
from app.web.http.content import FORM_TYPE
from app.web.http.entries import safe_path, told_apart, with_extension
from app.web.http.listed import MAX_BODY, is_form, read_list
from app.web.http.zipping import Entry, Zipping
from app.web.serve.connection import cut_off
from app.web.service.conversions import Conversions, Result
from app.web.service.selection import Selection, selection_of
from app.web.service.sending import opened
from app.web.service.services import Services
from app.web.service.spooling import Spooling, refuse
from imaging.options.values import shown

logger = logging.getLogger(__name__)

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
    "result is not there, the answer is an error that lists it, before the first byte. In place "
    "of a list, `batch` names a batch: then the archive has all of its results that are there. "
    "A page sends the list as a form, so that the browser saves the ZIP without holding it in "
    "memory.",
    body={
        "required": True,
        "content": {
            "application/json": {
                "schema": ref("Archive"),
                "example": {
                    "files": [{"md5": EXAMPLE_MD5, "format": "webp", "path": "beach/rocket.webp"}]
                },
            },
            FORM_TYPE: {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": text("The list, in JSON."),
                        "api_key": text("The key, as a form has no headers."),
                    },
                },
                "example": {"files": f'[{{"md5": "{EXAMPLE_MD5}", "format": "webp"}}]'},
            },
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
    errors={NotFound: "There is no such batch"},
)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One file that is asked for."""

    md5: str
    selection: Selection
    path: str | None


def add_archive(blueprint: Blueprint, services: Services) -> None:
    settings, conversions, guard = services.settings, services.conversions, services.guard
    spooling = Spooling(MAX_BODY, settings.limits.upload_timeout)

    @blueprint.post("/archive", stream=True, ctx_checks_key=True)
    @documented(ARCHIVE)
    async def archive(request: Request) -> HTTPResponse | None:
        try:
            if not is_form(request):  # a form may have the key in its body
                guard.admit(request)
            listed = await read_list(request, spooling)
            if is_form(request):
                guard.admit(request, listed.api_key)
            if listed.batch is not None:
                owner = record_of(request).key
                results, paths = await _of_batch(services, listed.batch, owner)
            else:
                wanted = [_wanted(n, given, settings) for n, given in enumerate(listed.files)]
                results = await _found(conversions, wanted)
                paths = [one.path for one in wanted]
        except TinyImageError as error:
            await refuse(request, error, error_response, 2 * MAX_BODY)
            return None
        await _send(request, conversions, results, paths)
        return None


async def _of_batch(
    services: Services, name: object, owner: str | None
) -> tuple[list[Result], list[str | None]]:
    """The results of a batch that are there, and their paths.

    Raises:
        InvalidOption: if it cannot be the name of one.
        NotFound: if there is no such batch.
        ResultsMissing: if none of its results is there.
    """
    batch = parse_batch(name, owner)
    if batch is None:
        raise InvalidOption("batch should be the name of a batch (it is empty)")
    count = await services.batches.count(batch)
    done = [
        (entry.job, entry.path)
        for entry in await services.batches.entries(batch)
        if isinstance(entry.job, PictureJob) and entry.job.state is JobState.DONE
    ]
    results: list[Result] = []
    paths: list[str | None] = []
    for first in range(0, len(done), _AT_ONCE):
        part = done[first : first + _AT_ONCE]
        found = await asyncio.gather(*(services.conversions.result_of(job) for job, _ in part))
        for (_, path), result in zip(part, found, strict=True):
            if result is not None:
                results.append(result)
                paths.append(with_extension(path, str(result.format)) if path else None)
    if not results:
        raise ResultsMissing([], count.total, count.total)
    return results, paths


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
    results: Sequence[Result],
    asked: Sequence[str | None],
) -> None:
    paths = told_apart(
        [
            safe_path(path or _own_name(result), str(result.format))
            for path, result in zip(asked, results, strict=True)
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
    return f"{stem or result.job.filename}.{result.format}"

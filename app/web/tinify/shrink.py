"""POST /shrink: a picture, compressed."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core import errors
from app.core.errors import InputMissing, Where
from app.core.jobs.counted.compressions import Account
from app.web.docs.operation import documented
from app.web.docs.responses import USAGE_HEADERS, answer
from app.web.guard.record import record_of
from app.web.service.conversions import Result
from app.web.service.outputs import Output, Source
from app.web.tinify.body import Upload, fetched, read_upload
from app.web.tinify.commands import parse_source
from app.web.tinify.described import ANY_PICTURE, EXAMPLE_ID, NUMBER, TEXT, an_object, operation
from app.web.tinify.desk import Desk
from app.web.tinify.errors import COUNT_HEADER, count_headers
from app.web.tinify.location import locate
from app.web.tinify.work import UNKNOWN_SIZE

EXAMPLE = {
    "input": {"size": 402678, "type": "image/jpeg"},
    "output": {
        "size": 168904,
        "type": "image/jpeg",
        "width": 1920,
        "height": 1280,
        "ratio": 0.4195,
        "url": f"https://img.example.org/output/{EXAMPLE_ID}",
    },
}

_COMPRESSED = an_object(
    {
        "input": an_object({"size": NUMBER, "type": TEXT}),
        "output": an_object(
            {
                "size": NUMBER,
                "type": TEXT,
                "ratio": {"type": "number", "description": "Of the sizes, output to input."},
                "url": TEXT,
            },
            {"width": NUMBER, "height": NUMBER},
        ),
    }
)

SHRINK = operation(
    name="shrink_picture",
    summary="Compress a picture",
    description="Answers when it is done, or after the setting `tinify.wait`. The `Content-Type` "
    "does not matter. Without a picture the answer is 400 for a good key.",
    body={
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": an_object({"source": an_object({"url": TEXT})}),
                "examples": {
                    "url": {
                        "summary": "A picture that the server fetches",
                        "value": {"source": {"url": "https://example.org/rocket.jpg"}},
                    }
                },
            },
        },
    },
    answers={
        "201": answer("It is done.", _COMPRESSED, EXAMPLE, "Location", COUNT_HEADER, *USAGE_HEADERS)
    },
    where=Where.KEYED | Where.TINIFY,
    errors={
        **ANY_PICTURE,
        errors.NotAnImage: errors.NotAnImage.example,
        errors.InvalidOption: "'source' should have a 'url'",
    },
    error_headers=(COUNT_HEADER, *USAGE_HEADERS),
)


def add_shrink(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.post("/shrink", stream=True, ctx_checks_key=True)
    @documented(SHRINK)
    async def shrink(request: Request) -> HTTPResponse | None:
        return await desk.answered(request, lambda: _take(request, desk))


async def _take(request: Request, desk: Desk) -> HTTPResponse:
    account = await desk.accounts.admit(request)
    desk.accounts.check(request)
    upload = await read_upload(request, desk.spooling)
    if not upload:
        raise InputMissing("No input")
    await desk.guard.count_picture(request)
    async with desk.work.in_time():
        if isinstance(upload, Upload):
            source, result = await _compress(request, desk, upload)
        else:
            with await desk.sources.fetch(parse_source(upload)) as picture:
                source, result = await _compress(request, desk, fetched(picture))
    return await _created(request, desk, account, source, result)


async def _compress(request: Request, desk: Desk, upload: Upload) -> tuple[Source, Result]:
    record_of(request).md5 = upload.picture.md5
    with upload.picture as picture:
        source = await desk.sources.keep(picture, upload.media_type)
        key = record_of(request).key
        return source, await desk.work.smallest(source, picture=picture, key=key)


async def _created(
    request: Request, desk: Desk, account: Account, source: Source, result: Result
) -> HTTPResponse:
    measures, conversion = result.job.facts.measures, result.job.conversion
    shown = measures.original or UNKNOWN_SIZE
    id = await desk.sources.remember(Output(source, shown, conversion))
    await desk.accounts.count(request, account, 1)
    place = locate(f"/output/{id}", request.headers, request.scheme, desk.public_url)
    output: dict[str, Any] = {
        "size": result.info.size,
        "type": result.format.media_type,
        "ratio": round(result.info.size / source.size, 4),
        "url": place.url,
    }
    if measures.result:
        output |= {"width": measures.result.width, "height": measures.result.height}
    return json(
        {"input": {"size": source.size, "type": source.media_type}, "output": output},
        status=201,
        headers={"Location": place.location, **count_headers(request)},
    )

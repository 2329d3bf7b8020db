"""GET and POST /output: a result, and further ones of the same upload."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core import errors
from app.core.errors import Where
from app.core.jobs.counted.compressions import Account
from app.web.docs.operation import documented
from app.web.docs.responses import USAGE_HEADERS, headers
from app.web.docs.schemas.parts import in_path
from app.web.guard.record import record_of
from app.web.service.conversions import Result
from app.web.service.outputs import Output
from app.web.service.sending import opened, send
from app.web.tinify.body import read_json
from app.web.tinify.commands import COMMANDS, Commands, parse_commands
from app.web.tinify.delivery import Delivery
from app.web.tinify.described import ANY_PICTURE, EXAMPLE_ID, operation
from app.web.tinify.desk import Desk
from app.web.tinify.errors import COUNT_HEADER, count_headers
from app.web.tinify.types import EXAMPLE
from imaging.formats import Format


def _file(*header_names: str) -> dict[str, Any]:
    return {
        "description": "The picture. Its `Content-Type` says which type was the smallest.",
        "headers": headers(*header_names, COUNT_HEADER, "Image-Width", "Image-Height"),
        "content": {
            format.media_type: {"schema": {"type": "string", "format": "binary"}}
            for format in Format
        },
    }


_ID = in_path(
    "id",
    "As `Location` names it; it is good for the setting `upload.max_age`.",
    "^[0-9a-z]{32}$",
    EXAMPLE_ID,
)

_OUTPUT_ERRORS = {
    **ANY_PICTURE,
    errors.NotFound: errors.NotFound.example,
    errors.InvalidOption: "'resize.height' should be at least 1 (it is -1)",
}

OUTPUT = operation(
    name="get_output",
    summary="A compressed picture",
    description="Needs no key. With commands in its body, as older clients send them, it does what "
    "POST does.",
    parameters=[_ID],
    answers={"200": _file(*USAGE_HEADERS)},
    where=Where.KEYED | Where.TINIFY,
    errors=_OUTPUT_ERRORS,
    error_headers=(COUNT_HEADER, *USAGE_HEADERS),
    is_open=True,
)

COMMAND = operation(
    name="command_output",
    summary="The picture resized, converted and so on",
    description="Made of the picture as it was uploaded. Commands can be mixed.",
    parameters=[_ID],
    body={
        "content": {
            "application/json": {
                "schema": COMMANDS,
                "examples": {
                    "mix": {
                        "summary": "Smaller, and of another type",
                        "value": {
                            "resize": {"method": "fit", "width": 150, "height": 100},
                            "convert": {"type": EXAMPLE},
                        },
                    }
                },
            }
        }
    },
    answers={"200": _file(*USAGE_HEADERS)},
    where=Where.KEYED | Where.TINIFY,
    errors=_OUTPUT_ERRORS,
    error_headers=(COUNT_HEADER, *USAGE_HEADERS),
)


def add_output(blueprint: Blueprint, desk: Desk) -> None:
    # Older clients send commands with GET, whose body Sanic drops unless it is told not to.
    @documented(OUTPUT)
    async def output(request: Request, id: str) -> HTTPResponse | None:
        return await desk.answered(request, lambda: _hand_out(request, id, desk))

    blueprint.add_route(
        output,
        "/output/<id:str>",
        methods=["GET", "HEAD"],
        stream=True,
        ignore_body=False,
        ctx_checks_key=True,
    )

    @blueprint.post("/output/<id:str>", stream=True, ctx_checks_key=True)
    @documented(COMMAND)
    async def command(request: Request, id: str) -> HTTPResponse | None:
        return await desk.answered(request, lambda: _hand_out(request, id, desk))


async def _hand_out(request: Request, id: str, desk: Desk) -> HTTPResponse | None:
    """The result of the upload, or of what the commands in the body ask for."""
    account = None
    if request.method == "POST" or "authorization" in request.headers:
        account = await desk.accounts.admit(request)
    given = await read_json(request, desk.spooling)
    if given and account is None:
        account = await desk.accounts.admit(request)
    output = await desk.sources.recall(id)
    record_of(request).md5 = output.source.md5
    commands = parse_commands(given)
    async with desk.work.in_time():
        if account is not None and commands.makes:
            result = await _made(request, desk, account, output, commands)
        else:
            result = await _plain(desk, output)
        if commands.store is not None:
            return await _stored(request, desk, result, commands.store)
    return await _sent(request, desk, result)


async def _plain(desk: Desk, output: Output) -> Result:
    """The result that the upload was answered with, made anew where it is gone."""
    for job in await desk.conversions.jobs(output.source.md5):
        if job.conversion == output.conversion and (
            result := await desk.conversions.result_of(job)
        ):
            return result
    return await desk.work.again(output.source, output.conversion)


async def _made(
    request: Request, desk: Desk, account: Account, output: Output, commands: Commands
) -> Result:
    if commands.compressions:
        desk.accounts.check(request)
    await desk.guard.count_picture(request)
    key = record_of(request).key
    result = await desk.work.smallest(output.source, commands, output.shown, key=key)
    await desk.accounts.count(request, account, commands.compressions)
    return result


async def _stored(request: Request, desk: Desk, result: Result, delivery: Delivery) -> HTTPResponse:
    url = await desk.deliver(delivery, result)
    return json({"status": "success"}, headers={"Location": url, **_headers(request, result)})


def _headers(request: Request, result: Result) -> dict[str, str]:
    headers = count_headers(request)
    if size := result.job.facts.measures.result:
        headers |= {"Image-Width": str(size.width), "Image-Height": str(size.height)}
    return headers


async def _sent(request: Request, desk: Desk, result: Result) -> HTTPResponse | None:
    with opened(desk.conversions, result) as stored:
        return await send(
            request,
            stored,
            0,
            stored.info.size,
            status=200,
            headers=_headers(request, result),
            media_type=result.format.media_type,
        )

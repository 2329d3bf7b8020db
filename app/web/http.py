"""/ /upload /status /queue /download"""

from __future__ import annotations

from typing import Any, cast

from sanic import Blueprint, HTTPResponse, Request
from sanic.http.http1 import Http
from sanic.response import json

from app import __version__
from app.core.conversion import Format, parse_format, parse_md5, parse_quality
from app.core.conversions import Conversions
from app.core.errors import NotAnImage, NotFound, TinyImageError, UnsupportedFormat
from app.core.queue import JobState, PictureJob
from app.core.settings import Settings
from app.core.sniff import HEAD_SIZE, is_picture
from app.web.download import remaining_seconds, send_result
from app.web.errors import error_response
from app.web.upload import discard_rest, read_form

QUEUED_MESSAGE = "Your image is queued for processing"
DONE_MESSAGE = "Image already processed for this format/quality"


def http_blueprint(settings: Settings, conversions: Conversions) -> Blueprint:
    """The routes of the HTTP API."""
    blueprint = Blueprint("http")
    max_size = settings.upload.max_upload_size

    @blueprint.get("/")
    async def about(request: Request) -> HTTPResponse:
        age = settings.upload.max_age
        return json(
            {
                "version": __version__,
                "download_url": settings.download.download_url,
                "max_upload_size_bytes": max_size,
                "max_concurrent_tasks": settings.upload.max_concurrent_tasks,
                "max_age": int(age) if age.is_integer() else age,
            }
        )

    @blueprint.post("/upload", stream=True)
    async def upload(request: Request) -> HTTPResponse | None:
        try:
            return await _take(request, conversions, max_size)
        except TinyImageError as error:
            connection = cast(Http, request.stream)
            if not connection.request_body:
                raise
            # The rest of the body is still on its way; the answer goes first.
            connection.keep_alive = False
            response = await request.respond(error_response(error))
            await response.send(end_stream=True)
            await discard_rest(request, 2 * max_size)
            return None

    @blueprint.get("/status/<md5:str>")
    async def status(request: Request, md5: str) -> HTTPResponse:
        jobs = await conversions.status(_md5(md5))
        if not jobs:
            raise NotFound("There is no such picture")
        return json([{**_named(job), "status": job.state} for job in jobs])

    @blueprint.get("/queue/<md5:str>")
    async def queue(request: Request, md5: str) -> HTTPResponse:
        jobs = [job for job in await conversions.status(_md5(md5)) if not job.finished]
        if not jobs:
            raise NotFound("Nothing of this picture is waiting")
        return json([{**_named(job), "filename": job.filename} for job in jobs])

    @blueprint.route("/download/<md5:str>", methods=["GET", "HEAD"])  # type: ignore[untyped-decorator]
    async def download(request: Request, md5: str) -> HTTPResponse | None:
        format, quality = _wanted(request)
        result = await conversions.newest_result(_md5(md5), format, quality)
        if result is None:
            raise NotFound("There is no such result")
        # A result never changes, but which of several is the newest does.
        named = format is not None and (quality is not None or not format.has_quality)
        cache = remaining_seconds(result, settings.upload.max_age_seconds) if named else 0
        return await send_result(request, conversions, result, cache)

    return blueprint


async def _take(request: Request, conversions: Conversions, max_size: int) -> HTTPResponse:
    form = await read_form(request, max_size)
    try:
        picture = form.picture()
        format = parse_format(form.fields.get("format"))
        quality = parse_quality(form.fields.get("quality"), format)
        picture.file.seek(0)
        if not is_picture(picture.file.read(HEAD_SIZE)):
            raise NotAnImage("The file is not a picture")
    except BaseException:
        form.close()
        raise
    job = await conversions.submit(picture, format, quality)
    done = job.state is JobState.DONE
    return json(
        {"message": DONE_MESSAGE if done else QUEUED_MESSAGE, **_named(job)},
        status=200 if done else 202,
    )


def _named(job: PictureJob) -> dict[str, Any]:
    conversion = job.conversion
    return {
        "md5": conversion.md5,
        "format": conversion.format,
        "quality": conversion.quality,
    }


def _md5(value: str) -> str:
    md5 = parse_md5(value)
    if md5 is None:
        raise NotFound("An MD5 is 32 hex digits")
    return md5


def _wanted(request: Request) -> tuple[Format | None, int | None]:
    """The format and the quality that the query names; what cannot exist is not found."""
    name, quality = request.args.get("format"), request.args.get("quality")
    try:
        format = parse_format(name) if name else None
    except UnsupportedFormat:
        raise NotFound("There is no such format") from None
    if not quality:
        return format, None
    if not (quality.isascii() and quality.isdigit() and len(quality) <= len("100")):
        raise NotFound("There is no such quality")
    return format, int(quality) if format is None else parse_quality(quality, format)

"""/ /upload /status /queue /download"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.http.http1 import Http
from sanic.response import json

from app import __version__
from app.core.config.settings import Settings
from app.core.errors import (
    NotFound,
    TinyImageError,
)
from app.core.jobs.job import JobState
from app.core.picture.conversion import (
    Conversion,
    parse_flag,
    parse_md5,
    parse_options,
    parse_q,
    parse_wish,
)
from app.web.docs.operation import documented
from app.web.docs.routes import readable
from app.web.errors import error_response, queue_unavailable
from app.web.guard.record import record_of
from app.web.guard.requests import Guard
from app.web.http import operations
from app.web.http.download import remaining_seconds, send_result
from app.web.http.upload import Spooling, discard_rest, read_form
from app.web.http.waiting import asked_wait
from app.web.service.answers import describe
from app.web.service.conversions import Conversions
from app.web.service.details import details_of, downloads_from
from app.web.service.identify import identify
from imaging.errors import UnsupportedFormat
from imaging.formats import Format, is_same, parse_format
from imaging.options import OPTION_NAMES, Options
from imaging.quality import NO_QUALITY, parse_quality

QUEUED_MESSAGE = "Your image is queued for processing"
DONE_MESSAGE = "Image already processed for this format/quality"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a download asks for; None is whatever there is."""

    format: Format | None
    quality: int | None
    options: Options | None

    def names(self, conversion: Conversion) -> bool:
        """Whether this could be no other conversion of its picture than the one found."""
        if self.format is None:
            return False
        quality = self.quality is not None or not self.format.has_quality
        return quality and (self.options is not None or conversion.is_plain)


def http_blueprint(settings: Settings, conversions: Conversions, guard: Guard) -> Blueprint:
    """The routes of the HTTP API."""
    blueprint = Blueprint("http")
    max_size = settings.upload.max_upload_size
    spooling = Spooling(max_size, settings.limits.upload_timeout)

    @readable(blueprint, "/", operations.ABOUT)
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
    @documented(operations.UPLOAD)
    async def upload(request: Request) -> HTTPResponse | None:
        try:
            guard.admit(request)
            try:
                await guard.count_picture(request)
            except RedisError as error:
                raise queue_unavailable(error) from None
            return await _take(request, conversions, settings, spooling)
        except TinyImageError as error:
            connection = cast(Http, request.stream)
            if not connection.request_body:
                raise
            # The rest of the body is still on its way; the answer goes first.
            connection.keep_alive = False
            response = await request.respond(error_response(request, error))
            await response.send(end_stream=True)
            await discard_rest(request, 2 * max_size)
            return None

    @readable(blueprint, "/status/<md5:str>", operations.STATUS)
    async def status(request: Request, md5: str) -> HTTPResponse:
        return await _tell(request, conversions, _md5(request, md5), settings)

    @readable(blueprint, "/queue/<md5:str>", operations.QUEUE)
    async def queue(request: Request, md5: str) -> HTTPResponse:
        jobs = [job for job in await conversions.status(_md5(request, md5)) if not job.finished]
        if not jobs:
            raise NotFound("Nothing of this picture is waiting")
        return json([{**describe(job), "filename": job.filename} for job in jobs])

    @readable(blueprint, "/download/<md5:str>", operations.DOWNLOAD)
    async def download(request: Request, md5: str) -> HTTPResponse | None:
        picture = _md5(request, md5)
        format = _format(request.args.get("format"))
        if is_same(request.args.get("format")):
            format = await conversions.own_format(picture)
            if format is None:
                raise NotFound("There is no result in the picture's own format")
        wanted = _wanted(request, settings, format)
        result = await conversions.newest_result(
            picture, wanted.format, wanted.quality, wanted.options
        )
        if result is None:
            raise NotFound("There is no such result")
        # A result never changes, but which of several is the newest does.
        named = wanted.names(result.job.conversion)
        cache = remaining_seconds(result, settings.upload.max_age_seconds) if named else 0
        return await send_result(
            request,
            conversions,
            result,
            cache,
            named=named,
            redirect=settings.download.redirect,
        )

    return blueprint


async def _take(
    request: Request, conversions: Conversions, settings: Settings, spooling: Spooling
) -> HTTPResponse:
    record = record_of(request)
    form = await read_form(request, spooling)
    try:
        picture = form.picture()
        record.md5 = picture.md5
        wish = parse_wish(form.fields, settings.engine.effort, settings.limits.max_pixels)
        conversion, media_type = identify(picture, wish, settings.limits.max_pixels)
    except BaseException:
        form.close()
        raise
    job = await conversions.submit(picture, conversion, wish.priority, media_type)
    record.outcome = job.state
    done = job.state is JobState.DONE
    return json(
        {"message": DONE_MESSAGE if done else QUEUED_MESSAGE, **describe(job)},
        status=200 if done else 202,
    )


async def _tell(
    request: Request, conversions: Conversions, md5: str, settings: Settings
) -> HTTPResponse:
    """The status of a picture, at once or when it has ended, as the request asks for it."""
    detailed, wait = parse_flag("details", request.args.get("details")), asked_wait(request)
    if wait is None:
        jobs = await conversions.status(md5)
    else:
        jobs = await conversions.wait(md5, wait.seconds)
    if not jobs:
        raise NotFound("There is no such picture")
    answer = [{**describe(job), "status": job.state} for job in jobs]
    if detailed:
        downloads = downloads_from(settings.download.download_url, request.path)
        places = await conversions.places(jobs)
        for entry, job, place in zip(answer, jobs, places, strict=True):
            entry.update(details_of(job, place, downloads))
    return json(answer, headers=None if wait is None else wait.headers)


def _md5(request: Request, value: str) -> str:
    md5 = parse_md5(value)
    if md5 is None:
        raise NotFound("An MD5 is 32 hex digits")
    record_of(request).md5 = md5
    return md5


def _format(name: str | None) -> Format | None:
    """The format that a query names; None if it names none, or the picture's own.

    Raises:
        NotFound: if there is no such format.
    """
    try:
        return parse_format(name) if name and not is_same(name) else None
    except UnsupportedFormat:
        raise NotFound("There is no such format") from None


def _wanted(request: Request, settings: Settings, format: Format | None) -> _Wanted:
    """What the query names beside the format; a quality that cannot exist is not found.

    Raises:
        InvalidOption: if an option is wrong.
    """
    query = {name: values[0] for name, values in request.args.items()}
    quality = query.get("quality")
    q = parse_q(query.get("q"))
    options = None
    if q is not None or query.keys() & OPTION_NAMES:
        options = parse_options(query, settings.engine.effort, settings.limits.max_pixels)
        if q is None and format is not None and not format.has_quality:
            q = NO_QUALITY
    if q is not None or not quality:
        return _Wanted(format, q, options)
    if not (quality.isascii() and quality.isdigit() and len(quality) <= len("100")):
        raise NotFound("There is no such quality")
    return _Wanted(
        format, int(quality) if format is None else parse_quality(quality, format), options
    )

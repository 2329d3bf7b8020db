"""POST /upload: a picture and its conversion."""

from __future__ import annotations

from collections.abc import Mapping

from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import InvalidForm, InvalidJSON, TinyImageError, Where
from app.core.jobs.fetched.links import LinkState
from app.core.jobs.job import JobState
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import USAGE_HEADERS, answer
from app.web.docs.schemas.link import EXAMPLE_URL
from app.web.docs.schemas.parts import ref
from app.web.errors import error_response, queue_unavailable
from app.web.guard.record import record_of
from app.web.http.answers import srcset_of
from app.web.http.body import read_form
from app.web.http.content import FORM_TYPE
from app.web.http.fields import JSON_TYPE, read_fields
from app.web.http.form import NO_PICTURE, NOR_URL, URL
from app.web.http.parameters import EXAMPLE, EXAMPLE_WITH_OPTIONS, in_header
from app.web.service.details import downloads_from
from app.web.service.services import Services
from app.web.service.spooling import Spooling, refuse
from imaging.formats import Format
from imaging.options import Fit

QUEUED_MESSAGE = "Your image is queued for processing"
DONE_MESSAGE = "Image already processed for this format/quality"

UPLOAD = Operation(
    name="upload_picture",
    tag=PICTURES,
    summary="Send a picture",
    description="The same picture in the same format, quality and options is one job, however "
    "often it is sent; a failed one can be sent again. Other fields are ignored. In place of the "
    "file, `url` names its address, in any of the three kinds of body: where `fetch.enabled` is "
    "set a worker fetches it, and the answer has an `id`, which `/status` and `/events` take in "
    "place of the MD5. With `widths` the picture is converted once for each, and the answer "
    "lists them.",
    parameters=[in_header("X-Request-ID", "A name for the request in the server's log.")],
    body={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": ref("Upload"),
                "examples": {
                    "plain": {
                        "summary": "Plain compression",
                        "value": {"format": str(Format.WEBP)},
                    },
                    "small": {
                        "summary": "A thumbnail",
                        "value": {
                            "format": str(Format.WEBP),
                            "width": 300,
                            "height": 200,
                            "fit": str(Fit.COVER),
                        },
                    },
                },
                "encoding": {"picture": {"contentType": "image/*, application/octet-stream"}},
            },
            **{
                kind: {"schema": ref("LinkUpload"), "example": {"url": EXAMPLE_URL, "width": 300}}
                for kind in (JSON_TYPE, FORM_TYPE)
            },
        },
    },
    answers={
        "200": answer(
            "It is already done: the result can be downloaded.",
            {"oneOf": [ref("Accepted"), ref("AcceptedWidths")]},
            {"message": DONE_MESSAGE, **EXAMPLE},
            *USAGE_HEADERS,
        ),
        "202": answer(
            "It is queued, or in work, or is fetched.",
            {"oneOf": [ref("Accepted"), ref("AcceptedLink"), ref("AcceptedWidths")]},
            {"message": QUEUED_MESSAGE, **EXAMPLE_WITH_OPTIONS},
            *USAGE_HEADERS,
        ),
    },
    where=Where.KEYED | Where.UPLOAD,
    errors={InvalidJSON: "The body is not a JSON object"},
    error_headers=USAGE_HEADERS,
)


def add_upload(blueprint: Blueprint, services: Services) -> None:
    settings = services.settings
    max_size = settings.upload.max_upload_size
    spooling = Spooling(max_size, settings.limits.upload_timeout)
    no_picture = NOR_URL if settings.fetch.enabled else NO_PICTURE

    @blueprint.post("/upload", stream=True, ctx_checks_key=True)
    @documented(UPLOAD)
    async def upload(request: Request) -> HTTPResponse | None:
        try:
            services.guard.admit(request)
            try:
                await services.guard.count_picture(request)
            except RedisError as error:
                raise queue_unavailable(error) from None
            fields = await read_fields(request, spooling, no_picture)
            if fields is not None:
                return await _take_link(request, services, fields)
            return await _take(request, services, spooling, no_picture)
        except TinyImageError as error:
            await refuse(request, error, error_response, 2 * max_size)
            return None


async def _take(
    request: Request, services: Services, spooling: Spooling, no_picture: str
) -> HTTPResponse:
    record = record_of(request)
    intake = services.intake.of_key(record.key)
    with await read_form(request, spooling) as form:
        fields = form.fields
        if fields.get(URL):
            if form.has_picture:
                raise InvalidForm("There are both a 'picture' and a 'url': send one of them")
            form.check_complete()
            return await _take_link(request, services, fields)
        with form.picture(no_picture) as picture:
            record.md5 = picture.md5
            requested = intake.request(fields)
            jobs = await intake.accept_all(picture, requested)
    done = all(job.state is JobState.DONE for job in jobs)
    record.outcome = jobs[-1].state
    downloads = downloads_from(services.settings.download.download_url, request.path)
    answer = srcset_of(jobs, downloads) if requested.widths else jobs[0].named
    return json(
        {"message": DONE_MESSAGE if done else QUEUED_MESSAGE, **answer},
        status=200 if done else 202,
    )


async def _take_link(
    request: Request, services: Services, fields: Mapping[str, object]
) -> HTTPResponse:
    """Have the picture fetched that the fields name by its URL."""
    record, links = record_of(request), services.links
    url = links.check(fields.get(URL))
    asked = {name: value for name, value in fields.items() if name != URL}
    # What can be refused is refused now.
    requested = services.intake.of_key(record.key).request(asked)
    id = await links.send(url, asked, key=record.key, requested=requested)
    record.outcome = LinkState.FETCHING
    return json({"message": QUEUED_MESSAGE, "id": id, "status": LinkState.FETCHING}, status=202)

"""POST /upload: a picture and its conversion."""

from __future__ import annotations

from redis.exceptions import RedisError
from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.config.settings import Settings
from app.core.errors import TinyImageError, Where
from app.core.intake.intake import Intake
from app.core.jobs.job import JobState
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import USAGE_HEADERS, answer
from app.web.docs.schemas import UPLOAD_FORM, ref
from app.web.errors import error_response, queue_unavailable
from app.web.guard.record import record_of
from app.web.guard.requests import Guard
from app.web.http.body import read_form
from app.web.http.parameters import EXAMPLE, EXAMPLE_WITH_OPTIONS
from app.web.service.answers import describe
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
    "often it is sent; a failed one can be sent again. Other fields are ignored.",
    body={
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": UPLOAD_FORM,
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
            }
        },
    },
    answers={
        "200": answer(
            "It is already done: the result can be downloaded.",
            ref("Accepted"),
            {"message": DONE_MESSAGE, **EXAMPLE},
            *USAGE_HEADERS,
        ),
        "202": answer(
            "It is queued, or in work.",
            ref("Accepted"),
            {"message": QUEUED_MESSAGE, **EXAMPLE_WITH_OPTIONS},
            *USAGE_HEADERS,
        ),
    },
    where=Where.KEYED | Where.UPLOAD,
    error_headers=USAGE_HEADERS,
)


def add_upload(blueprint: Blueprint, settings: Settings, intake: Intake, guard: Guard) -> None:
    """Add the route."""
    max_size = settings.upload.max_upload_size
    spooling = Spooling(max_size, settings.limits.upload_timeout)

    @blueprint.post("/upload", stream=True, ctx_checks_key=True)
    @documented(UPLOAD)
    async def upload(request: Request) -> HTTPResponse | None:
        try:
            guard.admit(request)
            try:
                await guard.count_picture(request)
            except RedisError as error:
                raise queue_unavailable(error) from None
            return await _take(request, intake, spooling)
        except TinyImageError as error:
            await refuse(request, error, error_response, 2 * max_size)
            return None


async def _take(request: Request, intake: Intake, spooling: Spooling) -> HTTPResponse:
    record = record_of(request)
    with await read_form(request, spooling) as form, form.picture() as picture:
        record.md5 = picture.md5
        asked = intake.of_key(record.key)
        job = await asked.accept(picture, asked.request(form.fields))
    record.outcome = job.state
    done = job.state is JobState.DONE
    return json(
        {"message": DONE_MESSAGE if done else QUEUED_MESSAGE, **describe(job)},
        status=200 if done else 202,
    )

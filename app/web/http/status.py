"""/status and /queue: the status of a picture."""

from __future__ import annotations

import asyncio

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import InvalidOption, NotFound, Where
from app.core.jobs.fetched.links import Link, LinkState, is_id
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.conversion import parse_flag, picture_of
from app.web.docs.operation import PICTURES, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable
from app.web.docs.schemas.parts import an_array, flag, number, ref
from app.web.guard.record import record_of
from app.web.http.answers import describe_link
from app.web.http.parameters import (
    EXAMPLE,
    EXAMPLE_WITH_OPTIONS,
    MD5,
    PICTURE,
    in_header,
    in_query,
    named_md5,
)
from app.web.http.waiting import MAX_WAIT_SECONDS, Wait, asked_wait
from app.web.service.conversions import Conversions
from app.web.service.details import add_details, downloads_from
from app.web.service.services import Services

STATUS = Operation(
    name="get_status",
    tag=PICTURES,
    summary="The status of a picture",
    description="One entry for each format, quality and set of options that was requested. "
    "A deleted result has no entry. The `id` of an upload by its URL has one entry while it is "
    "fetched, or if it could not be; then those of its conversions, with the MD5.",
    parameters=[
        PICTURE,
        in_query(
            "details",
            flag(
                "Whether to add details: the reason of a failure, sizes, the "
                "place in the queue, the URL of the result."
            ),
        ),
        in_query(
            "wait",
            number(
                "Seconds to wait at most until each conversion is done or has "
                "failed. The answer then has their status.",
                0,
                MAX_WAIT_SECONDS,
            ),
        ),
        in_header(
            "Prefer",
            "`wait=20` does what `?wait=20` does (RFC 7240); an answer that followed it has "
            "`Preference-Applied`. An invalid value is ignored.",
        ),
    ],
    answers={
        "200": answer(
            "Its conversions.",
            an_array({"anyOf": [ref("Status"), ref("LinkStatus")]}, minItems=1),
            [
                {**EXAMPLE, "status": str(JobState.DONE)},
                {**EXAMPLE_WITH_OPTIONS, "status": str(JobState.QUEUED)},
            ],
            "Preference-Applied",
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={InvalidOption: "details should be true or false (it is 'maybe')"},
)

QUEUE = Operation(
    name="get_queue",
    tag=PICTURES,
    summary="The unfinished conversions of a picture",
    description="404 if there are none.",
    parameters=[MD5],
    answers={
        "200": answer(
            "Its conversions that are queued or in work.",
            an_array(ref("Waiting"), minItems=1),
            [{**EXAMPLE, "filename": "rocket.jpg"}],
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={NotFound: "Nothing of this picture is waiting"},
)


def add_status(blueprint: Blueprint, services: Services) -> None:
    conversions = services.conversions

    @readable(blueprint, "/status/<md5:str>", STATUS)
    async def status(request: Request, md5: str) -> HTTPResponse:
        detailed, wait = parse_flag("details", request.args.get("details")), asked_wait(request)
        if is_id(md5):
            link, jobs = await _link(request, services, md5, wait)
            if link.state is not LinkState.TAKEN:
                return json([describe_link(link)], headers=None if wait is None else wait.headers)
            named = {"id": md5}
        else:
            jobs, named = await _jobs(conversions, named_md5(request, md5), wait), {}
        if not jobs:
            raise NotFound("There is no such picture")
        answer = [{**named, **job.named, "status": job.state} for job in jobs]
        if detailed:
            downloads = downloads_from(services.settings.download.download_url, request.path)
            await add_details(list(zip(answer, jobs, strict=True)), conversions, downloads)
        return json(answer, headers=None if wait is None else wait.headers)

    @readable(blueprint, "/queue/<md5:str>", QUEUE)
    async def queue(request: Request, md5: str) -> HTTPResponse:
        jobs = await conversions.status(named_md5(request, md5))
        waiting = [job for job in jobs if not job.finished]
        if not waiting:
            raise NotFound("Nothing of this picture is waiting")
        return json([{**job.named, "filename": job.filename} for job in waiting])


async def _jobs(conversions: Conversions, md5: str, wait: Wait | None) -> list[PictureJob]:
    """The conversions of a picture, at once or when all have ended, as requested."""
    if wait is None:
        return await conversions.status(md5)
    return await conversions.following.wait(md5, wait.seconds)


async def _link(
    request: Request, services: Services, id: str, wait: Wait | None
) -> tuple[Link, list[PictureJob]]:
    """The same for an upload by its URL."""
    loop, links = asyncio.get_running_loop(), services.links
    began = loop.time()
    link = await links.look_up(id) if wait is None else await links.wait(id, wait.seconds)
    if link.state is not LinkState.TAKEN:
        return link, []
    record_of(request).md5 = md5 = picture_of(link.job_ids[0])
    if wait is not None:
        left = max(0.0, wait.seconds - (loop.time() - began))
        await services.conversions.following.wait(md5, left)
    return link, await links.jobs(link)

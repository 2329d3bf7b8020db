"""DELETE /status: a picture that is not to be converted after all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import InvalidOption, NotFound, Where
from app.core.jobs.fetched.links import LinkState, is_id
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.conversion import picture_of
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import answer
from app.web.docs.schemas.link import WITHDRAWN
from app.web.docs.schemas.parts import an_array, ref
from app.web.guard.record import record_of
from app.web.http.answers import describe_link
from app.web.http.download import SELECTION, asked_query, selection
from app.web.http.parameters import EXAMPLE, EXAMPLE_WITH_OPTIONS, PICTURE, named_md5
from app.web.service.conversions import Conversions
from app.web.service.services import Services

WITHDRAW = Operation(
    name="withdraw_picture",
    tag=PICTURES,
    summary="Withdraw a waiting picture",
    description="Takes the conversions that the query names, or all of the picture, out of the "
    "queue, and deletes their originals. A conversion stays if a worker has it, if it has ended, "
    "or if another request has asked for the same while it waited, whoever sent that: then the "
    "other would be without its picture. The `id` of an upload by its URL names that while it "
    "waits to be fetched, then all its conversions, whatever the query names.",
    parameters=[PICTURE, *SELECTION[1:]],
    answers={
        "200": answer(
            f"The conversions: `{WITHDRAWN}`, or the status of one that stays.",
            an_array({"anyOf": [ref("Withdrawn"), ref("WithdrawnLink")]}, minItems=1),
            [
                {**EXAMPLE, "status": WITHDRAWN},
                {**EXAMPLE_WITH_OPTIONS, "status": str(JobState.PROCESSING)},
            ],
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={
        InvalidOption: "width should be pixels, from 1 to 16383 (it is 'wide')",
        NotFound: "There is no such picture",
    },
)


def add_withdrawal(blueprint: Blueprint, services: Services) -> None:
    conversions, links = services.conversions, services.links

    @blueprint.delete("/status/<md5:str>")
    @documented(WITHDRAW)
    async def withdraw(request: Request, md5: str) -> HTTPResponse:
        if is_id(md5):
            await links.look_up(md5)
            if await links.withdraw(md5):
                return json([{"id": md5, "status": WITHDRAWN}])
            link = await links.look_up(md5)
            if link.state is not LinkState.TAKEN:
                return json([describe_link(link)])
            record_of(request).md5 = picture_of(link.job_ids[0])
            jobs, named = await links.jobs(link), {"id": md5}
        else:
            picture = named_md5(request, md5)
            wanted = await selection(services, picture, asked_query(request, services.settings))
            jobs = [j for j in await conversions.status(picture) if wanted.matches(j)]
            named = {}
        if not jobs:
            raise NotFound("There is no such picture")
        return json([{**named, **each} for each in await _withdrawn(conversions, jobs)])


async def _withdrawn(conversions: Conversions, jobs: Sequence[PictureJob]) -> list[dict[str, Any]]:
    """What became of conversions of one picture that were to be withdrawn."""
    withdrawn = await conversions.withdraw(jobs)
    # A worker may have begun one since it was read.
    found = await conversions.jobs(jobs[0].conversion.md5)
    states = {job.conversion: job.state for job in found}
    return [
        {
            **job.named,
            "status": WITHDRAWN if gone else states.get(job.conversion, job.state),
        }
        for job, gone in zip(jobs, withdrawn, strict=True)
    ]

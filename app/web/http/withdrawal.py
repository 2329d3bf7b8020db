"""DELETE /status: a picture that is not to be converted after all."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.config.settings import Settings
from app.core.errors import InvalidOption, NotFound, Where
from app.core.jobs.job import JobState
from app.web.docs.operation import PICTURES, Operation, documented
from app.web.docs.responses import answer
from app.web.docs.schemas import WITHDRAWN, ref
from app.web.http.download import SELECTION, asked_query, selection
from app.web.http.parameters import EXAMPLE, EXAMPLE_WITH_OPTIONS, named_md5
from app.web.service.answers import describe
from app.web.service.conversions import Conversions

WITHDRAW = Operation(
    name="withdraw_picture",
    tag=PICTURES,
    summary="Withdraw a waiting picture",
    description="Takes the conversions that the query names, or all of the picture, out of the "
    "queue, and deletes their originals. A conversion stays if a worker has it, if it has ended, "
    "or if another request has asked for the same while it waited, whoever sent that: then the "
    "other would be without its picture.",
    parameters=SELECTION,
    answers={
        "200": answer(
            f"The conversions: `{WITHDRAWN}`, or the status of one that stays.",
            {"type": "array", "items": ref("Withdrawn"), "minItems": 1},
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


def add_withdrawal(blueprint: Blueprint, settings: Settings, conversions: Conversions) -> None:
    """Add the route."""

    @blueprint.delete("/status/<md5:str>")
    @documented(WITHDRAW)
    async def withdraw(request: Request, md5: str) -> HTTPResponse:
        picture = named_md5(request, md5)
        wanted = await selection(conversions, picture, asked_query(request, settings), settings)
        jobs = [j for j in await conversions.status(picture) if wanted.matches(j)]
        if not jobs:
            raise NotFound("There is no such picture")
        withdrawn = await conversions.withdraw(jobs)
        # A worker may have begun one since it was read.
        states = {job.conversion: job.state for job in await conversions.jobs(picture)}
        return json(
            [
                {
                    **describe(job),
                    "status": WITHDRAWN if gone else states.get(job.conversion, job.state),
                }
                for job, gone in zip(jobs, withdrawn, strict=True)
            ]
        )

"""GET /batch: pictures that were sent under one name."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core.errors import InvalidOption, NotFound, Where
from app.core.jobs.job import PictureJob
from app.core.picture.batch import MAX_MEMBERS, NAME_PATTERN, Batch, parse_batch
from app.core.picture.conversion import parse_flag
from app.web.docs.operation import PICTURES, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable
from app.web.docs.schemas.parts import flag, in_path, number, ref
from app.web.guard.record import record_of
from app.web.http.answers import describe_link
from app.web.http.parameters import EXAMPLE, in_query
from app.web.service.batches import Entry, counts_of
from app.web.service.details import add_details, downloads_from
from app.web.service.services import Services
from imaging.options.values import shown

MAX_LISTED = 1_000
LISTED = 100

BATCH = Operation(
    name="get_batch",
    tag=PICTURES,
    summary="A batch",
    description="How many pictures were sent with this `batch`, how many of these are unfinished, "
    "done and failed, and a part of them, in the order in which they came. A batch is that of an "
    "API key: others do not see it. It is gone with its last picture.",
    parameters=[
        in_path("name", "Its name; anything else is 404.", f"^{NAME_PATTERN}$", "holiday"),
        in_query(
            "offset",
            number("How many pictures are left out at the beginning.", 0, MAX_MEMBERS),
        ),
        in_query(
            "limit",
            number(f"How many are listed at most; {LISTED} without it.", 0, MAX_LISTED),
        ),
        in_query(
            "details",
            flag("Whether to add details, as `/status` has them."),
        ),
    ],
    answers={
        "200": answer(
            "Its counts and pictures.",
            ref("Batch"),
            {
                "batch": "holiday",
                "total": 2,
                "unfinished": 1,
                "done": 1,
                "failed": 0,
                "files": [{**EXAMPLE, "status": "done", "filename": "rocket.jpg"}],
            },
        ),
    },
    where=Where.KEYED | Where.PICTURE,
    errors={
        InvalidOption: "limit should be a number from 0 to 1000 (it is 'all')",
        NotFound: "There is no such batch",
    },
)


def add_batch(blueprint: Blueprint, services: Services) -> None:
    batches = services.batches

    @readable(blueprint, "/batch/<name:str>", BATCH)
    async def batch(request: Request, name: str) -> HTTPResponse:
        named = named_batch(name, record_of(request).key)
        first = _number(request, "offset", 0, MAX_MEMBERS)
        number = _number(request, "limit", LISTED, MAX_LISTED)
        detailed = parse_flag("details", request.args.get("details"))
        count = await batches.count(named)
        entries = await batches.entries(named, first, number) if number else []
        files = [_described(entry) for entry in entries]
        if detailed:
            downloads = downloads_from(services.settings.download.download_url, request.path)
            jobs = (entry.job for entry in entries)
            told = [(f, j) for f, j in zip(files, jobs, strict=True) if isinstance(j, PictureJob)]
            await add_details(told, services.conversions, downloads)
        return json({**counts_of(named, count), "files": files})


def named_batch(name: str, owner: str | None) -> Batch:
    """The batch in a path.

    Raises:
        NotFound: if it cannot be the name of one.
    """
    try:
        batch = parse_batch(name, owner)
    except InvalidOption:
        batch = None
    if batch is None or batch.name != name:
        raise NotFound("There is no such batch")
    return batch


def _described(entry: Entry) -> dict[str, Any]:
    if isinstance(entry.job, PictureJob):
        named = {**entry.job.named, "status": entry.job.state}
        return {**named, "filename": entry.job.filename}
    return describe_link(entry.job)


def _number(request: Request, name: str, default: int, most: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    text = given.strip()
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not is_number or int(text) > most:
        raise InvalidOption(f"{name} should be a number from 0 to {most} (it is {shown(given)})")
    return int(text)

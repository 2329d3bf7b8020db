"""GET /keys: how a key stands."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app.core import errors
from app.core.errors import NotFound, Unauthorized
from app.web.docs.operation import documented
from app.web.docs.responses import answer
from app.web.tinify.described import operation
from app.web.tinify.desk import Desk
from app.web.tinify.errors import COUNT_HEADER, count_headers

KEY = operation(
    name="get_key",
    summary="How a key stands",
    description="For WordPress. Needs no other key.",
    parameters=[
        {
            "name": "key",
            "in": "path",
            "required": True,
            "description": "The API key.",
            "schema": {"type": "string"},
        }
    ],
    answers={
        "200": answer(
            "It is good; the headers say the rest.",
            {"type": "object"},
            {},
            COUNT_HEADER,
            "Compression-Count-Remaining",
            "Paying-State",
        )
    },
    errors={
        errors.NotFound: errors.NotFound.example,
        errors.Unavailable: errors.Unavailable.example,
    },
    error_headers=(COUNT_HEADER,),
    is_open=True,
)


def add_keys(blueprint: Blueprint, desk: Desk) -> None:
    @documented(KEY)
    async def key(request: Request, key: str) -> HTTPResponse | None:
        return await desk.answered(request, lambda: _tell(request, key, desk))

    blueprint.add_route(key, "/keys/<key:str>", methods=["GET", "HEAD"], ctx_checks_key=True)


async def _tell(request: Request, key: str, desk: Desk) -> HTTPResponse:
    try:
        account = desk.accounts.account(request, key)
    except Unauthorized:
        raise NotFound("There is no such key") from None
    used = await desk.accounts.enter(request, account)
    limit = desk.accounts.limit
    headers = {**count_headers(request), "Paying-State": "free" if limit else "paid"}
    if limit:
        headers["Compression-Count-Remaining"] = str(max(0, limit - used))
    return json({}, headers=headers)

"""GET /: the server and its limits; for browsers the page."""

from __future__ import annotations

from collections.abc import Callable

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app import __version__
from app.core.errors import Where
from app.web.docs.operation import SERVER, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable
from app.web.docs.schemas.parts import Schema, ref
from app.web.service.services import Services

Page = Callable[[Request], HTTPResponse | None]
"""The page for a request that wants one; None if it does not."""

VARY = {"Vary": "Accept"}


def with_page(described: Schema) -> Schema:
    """The answer, which is a page for browsers."""
    page = {"text/html": {"schema": {"type": "string"}}}
    return {**described, "content": {**described["content"], **page}}


ABOUT = Operation(
    name="get_about",
    tag=SERVER,
    summary="The server and its limits",
    description="The facts that a client needs before it sends pictures. Where `Accept` prefers "
    "`text/html`, as that of a browser, the answer is the page, which needs no key.",
    where=Where.KEYED,
    answers={
        "200": with_page(
            answer(
                "The server and its limits.",
                ref("About"),
                {
                    "version": __version__,
                    "download_url": "download/",
                    "max_upload_size_bytes": 10 * 1024**2,
                    "max_concurrent_tasks": 3,
                    "max_age": 24,
                },
            )
        ),
    },
)


def add_about(blueprint: Blueprint, services: Services, page: Page) -> None:
    """Add the route.

    Args:
        page: what browsers get in place of JSON.
    """
    settings = services.settings
    age = settings.upload.max_age
    told = {
        "version": __version__,
        "download_url": settings.download.download_url,
        "max_upload_size_bytes": settings.upload.max_upload_size,
        "max_concurrent_tasks": settings.upload.max_concurrent_tasks,
        "max_age": int(age) if age.is_integer() else age,
    }

    @readable(blueprint, "/", ABOUT, checks_key=True)
    async def about(request: Request) -> HTTPResponse:
        if (shown := page(request)) is not None:
            shown.headers.update(VARY)
            return shown
        services.guard.admit(request)
        return json(told, headers=VARY)

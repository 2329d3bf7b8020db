"""GET /: the server and its limits."""

from __future__ import annotations

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import json

from app import __version__
from app.core.config.settings import Settings
from app.core.errors import Where
from app.web.docs.operation import SERVER, Operation
from app.web.docs.responses import answer
from app.web.docs.routes import readable
from app.web.docs.schemas import ref

ABOUT = Operation(
    name="get_about",
    tag=SERVER,
    summary="The server and its limits",
    description="The facts that a client needs before it sends pictures.",
    where=Where.KEYED,
    answers={
        "200": answer(
            "The server and its limits.",
            ref("About"),
            {
                "version": __version__,
                "download_url": "download/",
                "max_upload_size_bytes": 10 * 1024**2,
                "max_concurrent_tasks": 3,
                "max_age": 24,
            },
        ),
    },
)


def add_about(blueprint: Blueprint, settings: Settings) -> None:
    """Add the route."""
    age = settings.upload.max_age
    told = {
        "version": __version__,
        "download_url": settings.download.download_url,
        "max_upload_size_bytes": settings.upload.max_upload_size,
        "max_concurrent_tasks": settings.upload.max_concurrent_tasks,
        "max_age": int(age) if age.is_integer() else age,
    }

    @readable(blueprint, "/", ABOUT)
    async def about(request: Request) -> HTTPResponse:
        return json(told)

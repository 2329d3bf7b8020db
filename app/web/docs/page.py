"""/docs: Swagger UI, from this server alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import html

from app.web.docs.schemas.parts import Schema
from app.web.files import cache_control, policy, version_of

DOCS = "/docs"
"""The path of the page; its files are below it."""

_HERE = Path(__file__).parent
_SWAGGER = _HERE / "swagger"
_NAME = DOCS.rpartition("/")[2]


def docs_blueprint(schema: Schema) -> Blueprint:
    """The page, its files and the schema."""
    encoded = json.dumps(schema).encode()
    blueprint = Blueprint("docs")
    files = _files()
    version = version_of(files.values())
    page = (_HERE / "page.html").read_text(encoding="utf-8").replace("VERSION", version)
    # Relative, as a reverse proxy may publish the server under a path prefix: from /docs the
    # files are in docs/, from /docs/ they are beside the page.
    pages = {slash: page.replace("FOLDER", "" if slash else f"{_NAME}/") for slash in (False, True)}

    @blueprint.route(DOCS, methods=["GET", "HEAD"])  # type: ignore[untyped-decorator]
    async def show(request: Request) -> HTTPResponse:
        page = pages[request.path.endswith("/")]
        return html(page, headers={"Content-Security-Policy": policy(forms=False)})

    @blueprint.route(f"{DOCS}/openapi.json", methods=["GET", "HEAD"])  # type: ignore[untyped-decorator]
    async def tell(request: Request) -> HTTPResponse:
        return HTTPResponse(encoded, content_type="application/json")

    for name, path in files.items():
        blueprint.static(
            f"{DOCS}/{name}",
            path,
            name=name.replace(".", "_").replace("-", "_"),
            # What has no extension is text here, and not what Sanic takes it for.
            content_type=None if path.suffix else "text/plain; charset=utf-8",
        )

    @blueprint.on_response  # type: ignore[untyped-decorator]
    async def keep(request: Request, response: HTTPResponse) -> None:
        file = files.get(request.path.removeprefix(f"{DOCS}/"))
        if request.method == "HEAD" and response.status == 200 and file is not None:
            response.headers["Content-Length"] = str(file.stat().st_size)  # Sanic says 0
        named = request.args.get("v") == version
        response.headers["Cache-Control"] = cache_control(named=named)

    return blueprint


def _files() -> Mapping[str, Path]:
    """The files that the page loads, by their names below `/docs`."""
    return {
        "swagger-ui.js": _SWAGGER / "swagger-ui-bundle.js",
        "swagger-ui.css": _SWAGGER / "swagger-ui.css",
        "favicon.png": _SWAGGER / "favicon-32x32.png",
        "LICENSE": _SWAGGER / "LICENSE",
        "page.js": _HERE / "page.js",
        "page.css": _HERE / "page.css",
    }

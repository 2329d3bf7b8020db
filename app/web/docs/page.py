"""/docs: Swagger UI, from this server alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sanic import Blueprint, HTTPResponse, Request
from sanic.response import html

from app.web.docs.schemas import Schema

DOCS = "/docs"
"""The path of the page; its files are below it."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Icons in the stylesheet, and pictures that were downloaded through the page.
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The rights of the page: no inline script or style, no connection to another host."""

CACHE_SECONDS = 365 * 24 * 3600
"""For the files, which the page names with their version."""

_HERE = Path(__file__).parent
_SWAGGER = _HERE / "swagger"
_NAME = DOCS.rpartition("/")[2]


def docs_blueprint(schema: Schema) -> Blueprint:
    """The page, its files and the schema."""
    encoded = json.dumps(schema).encode()
    blueprint = Blueprint("docs")
    files = _files()
    version = _version(files.values())
    page = (_HERE / "page.html").read_text(encoding="utf-8").replace("VERSION", version)
    # Relative, as a reverse proxy may publish the server under a path prefix: from /docs the
    # files are in docs/, from /docs/ they are beside the page.
    pages = {slash: page.replace("FOLDER", "" if slash else f"{_NAME}/") for slash in (False, True)}

    @blueprint.route(DOCS, methods=["GET", "HEAD"])  # type: ignore[untyped-decorator]
    async def show(request: Request) -> HTTPResponse:
        page = pages[request.path.endswith("/")]
        return html(page, headers={"Content-Security-Policy": POLICY})

    @blueprint.route(f"{DOCS}/openapi.json", methods=["GET", "HEAD"])  # type: ignore[untyped-decorator]
    async def tell(request: Request) -> HTTPResponse:
        return HTTPResponse(encoded, content_type="application/json")

    for name, path in files.items():
        blueprint.static(f"{DOCS}/{name}", path, name=name.replace(".", "_").replace("-", "_"))

    @blueprint.on_response  # type: ignore[untyped-decorator]
    async def keep(request: Request, response: HTTPResponse) -> None:
        file = files.get(request.path.removeprefix(f"{DOCS}/"))
        if request.method == "HEAD" and response.status == 200 and file is not None:
            response.headers["Content-Length"] = str(file.stat().st_size)  # Sanic says 0
        named = request.args.get("v") == version
        response.headers["Cache-Control"] = (
            f"public, max-age={CACHE_SECONDS}, immutable" if named else "no-cache"
        )

    return blueprint


def _files() -> Mapping[str, Path]:
    """The files that the page loads, by their names below `/docs`."""
    return {
        "swagger-ui.js": _SWAGGER / "swagger-ui-bundle.js",
        "swagger-ui.css": _SWAGGER / "swagger-ui.css",
        "favicon.png": _SWAGGER / "favicon-32x32.png",
        "LICENSE": _SWAGGER / "LICENSE",
        "page.js": _HERE / "page.js",
    }


def _version(files: Iterable[Path]) -> str:
    """A name for the current version of these files."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]

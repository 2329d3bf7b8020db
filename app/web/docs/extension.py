"""sanic-ext, of which the schema alone is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic_ext import Config, Extend
from sanic_ext.config import PRIORITY
from sanic_ext.extensions.openapi.blueprint import blueprint_factory
from sanic_ext.extensions.openapi.builders import OperationStore, SpecificationBuilder
from sanic_ext.extensions.openapi.extension import OpenAPIExtension

from app import __version__
from app.web.auth import BASIC_USER
from app.web.docs.operations import TAGS
from app.web.docs.responses import HEADERS
from app.web.docs.schemas import SCHEMAS

DOCS = "/docs"
"""Where the page is; all that belongs to it is below."""

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as a bearer token."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": f"The key as the password of the user `{BASIC_USER}`.",
    },
}


class _Once(OpenAPIExtension):
    """Builds the schema at the start: sanic-ext would for each request, which takes 10 ms, and from
    what the last application of the process has said."""

    name = "once"

    def startup(self, bootstrap: Extend) -> None:
        """Register the route of the schema."""
        self.bp = blueprint_factory(self.app.config)
        schema = b""

        # sanic-ext collects the operations at PRIORITY; a lower one comes later.
        @self.bp.before_server_start(priority=PRIORITY + 1)  # type: ignore[untyped-decorator]
        async def find_sockets(app: Sanic[Any, Any]) -> None:
            store = OperationStore()
            for route in app.router.routes:
                if getattr(route.handler, "is_websocket", False):
                    # Sanic has wrapped the handler that was documented.
                    store[route.handler] = store[route.handler.args[0]]

        @self.bp.before_server_start(priority=PRIORITY - 1)  # type: ignore[untyped-decorator]
        async def build(app: Sanic[Any, Any]) -> None:
            nonlocal schema
            schema = json.dumps(SpecificationBuilder().build(app).serialize()).encode()

        @self.bp.head(self.app.config.OAS_URI_TO_JSON)  # type: ignore[untyped-decorator]
        async def spec_head(request: Request) -> None:
            """Beside the GET of sanic-ext; `answer` answers both."""

        @self.bp.on_request  # type: ignore[untyped-decorator]
        async def answer(request: Request) -> HTTPResponse:
            headers = {"Cache-Control": "no-cache"}
            return HTTPResponse(schema, headers=headers, content_type="application/json")

        self.app.blueprint(self.bp)


class _Quiet(Extend):
    def _display(self) -> None:
        """Say nothing at the start, where sanic-ext lists what it does."""


def add_schema(app: Sanic[Any, Any], *, keys_required: bool) -> None:
    """Have sanic-ext answer `/docs/openapi.json`, from what `documented` says of the handlers.

    Before the routes are made: what sanic-ext knows is of the whole process, and it forgets here
    what an earlier application left behind.

    Args:
        keys_required: whether a request without a key is refused.
    """
    OperationStore.reset()
    SpecificationBuilder.reset()
    anyone: list[dict[str, list[str]]] = [] if keys_required else [{}]
    SpecificationBuilder().raw(
        {
            "info": {
                "title": "TinyImage Server",
                "version": __version__,
                "description": (Path(__file__).parent / "about.md").read_text(encoding="utf-8"),
            },
            # Relative to where the schema is, so it holds below a reverse proxy's path too.
            "servers": [{"url": "..", "description": "This server"}],
            "tags": TAGS,
            "security": anyone + [{name: []} for name in _SCHEMES],
            "components": {"schemas": SCHEMAS, "headers": HEADERS, "securitySchemes": _SCHEMES},
        }
    )
    # Sanic would otherwise load all of sanic-ext by itself, with CORS and handlers of its own.
    _Quiet(
        app,
        extensions=[_Once],
        built_in_extensions=False,
        config=Config(
            cors=False,
            http_all_methods=False,
            http_auto_head=False,
            http_auto_options=False,
            health=False,
            logging=False,
            oas_url_prefix=DOCS,
            oas_autodoc=False,
            oas_ignore_head=False,
            # Its pages load their scripts from other hosts; ours is in `page.py`.
            oas_ui_redoc=False,
            oas_ui_swagger=False,
            oas_ui_default=None,
        ),
    )

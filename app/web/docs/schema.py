"""The schema, built from the declarations of the handlers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sanic import Sanic

from app import __version__
from app.web.docs.formats import formats_table
from app.web.docs.operation import TAGS, operation_of
from app.web.docs.responses import HEADERS
from app.web.docs.schemas import schemas
from app.web.docs.schemas.parts import Schema
from app.web.docs.webhooks import webhooks
from app.web.guard.auth import BASIC_USER

_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The key as a bearer token."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The key."},
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": f"The key as the password of the user `{BASIC_USER}`.",
    },
}

_PARAMETER = re.compile(r"<(\w+):\w+>")


def build_schema(app: Sanic[Any, Any], *, keys_required: bool) -> Schema:
    """The schema in OpenAPI 3.1 of all routes whose handlers are `documented`.

    Args:
        keys_required: whether a request without a key is refused.
    """
    paths: dict[str, Schema] = {}
    for route in app.router.routes:
        operation = operation_of(route.handler)
        if operation is not None:
            path = "/" + _PARAMETER.sub(r"{\1}", route.path.strip("/"))
            for method in route.methods:
                paths.setdefault(path, {})[method.lower()] = operation.describe(method)
    about = (Path(__file__).parent / "about.md").read_text(encoding="utf-8")
    anyone: list[dict[str, list[str]]] = [] if keys_required else [{}]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "TinyImage Server",
            "version": __version__,
            "description": about.replace("{formats}", formats_table()),
        },
        # Relative to the schema, so it is right behind a reverse proxy's path prefix too.
        "servers": [{"url": "..", "description": "This server"}],
        "tags": TAGS,
        "paths": paths,
        "webhooks": webhooks(),
        "security": anyone + [{name: []} for name in _SECURITY],
        "components": {"schemas": schemas(), "headers": HEADERS, "securitySchemes": _SECURITY},
    }

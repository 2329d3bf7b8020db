"""The schemas that requests and answers are made of; formats, bounds and defaults as the code has
them."""

from __future__ import annotations

from app.core.errors import Where, codes_at
from app.web.docs.schemas import batch, conversion, event, link, options, server, sockets, upload
from app.web.docs.schemas.parts import Schema, choice
from app.web.errors import SANIC_CODES


def schemas() -> dict[str, Schema]:
    """The components of the schema."""
    what = "The error, for programs."
    return {
        **options.SCHEMAS,
        **conversion.SCHEMAS,
        **link.SCHEMAS,
        **batch.SCHEMAS,
        **upload.SCHEMAS,
        **event.SCHEMAS,
        **sockets.SCHEMAS,
        **server.SCHEMAS,
        "ErrorCode": choice(what, sorted({*codes_at(Where.HTTP), *SANIC_CODES})),
        "SocketErrorCode": choice(what, sorted(codes_at(Where.MESSAGE))),
    }

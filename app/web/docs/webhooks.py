"""The requests that the server sends to recipients of events, as OpenAPI's webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.picture.recipients import EventType
from app.web.docs.operation import WEBHOOKS
from app.web.docs.schemas.parts import Schema, ref

_HEADERS = {
    "webhook-id": ("The event, the same at each try.", "evt_3f0c2f7b9a1de5c4b8a06d12_1"),
    "webhook-timestamp": ("The time of the try, in seconds since 1970.", "1769860800"),
    "webhook-signature": (
        "One or several, with blanks between them.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}
"""Standard Webhooks, "Webhook headers"."""

MESSAGES: Mapping[EventType, tuple[str, tuple[str, ...]]] = {
    EventType.IMAGE_DONE: ("A picture is done", ("ImageDone",)),
    EventType.IMAGE_FAILED: ("A picture has failed", ("ImageFailed", "LinkFailed")),
    EventType.BATCH_DONE: ("No picture of a batch is unfinished", ("BatchDone",)),
}
"""Of each kind of event a summary, and the schemas of its messages."""


def webhooks() -> Schema:
    """The messages by their types."""
    return {str(type): {"post": _described(type, *told)} for type, told in MESSAGES.items()}


def _described(type: EventType, summary: str, schemas: Sequence[str]) -> Schema:
    several = [ref(schema) for schema in schemas]
    schema = {"anyOf": several} if len(several) > 1 else several[0]
    return {
        "operationId": f"told_{type.replace('.', '_')}",
        "tags": [WEBHOOKS],
        "summary": summary,
        "description": "Any status from 200 to 299 takes it; 410 ends further tries.",
        "security": [],
        "parameters": [
            {
                "name": name,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string", "example": example},
            }
            for name, (description, example) in _HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"204": {"description": "It is taken."}},
    }

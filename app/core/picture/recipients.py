"""The recipients of a picture's events, and the kinds of event."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

WEBHOOK = "webhook"
"""The field of an upload that names a URL to be told."""


class EventType(StrEnum):
    """A kind of event, the `type` of its message."""

    IMAGE_DONE = "image.done"
    IMAGE_FAILED = "image.failed"
    BATCH_DONE = "batch.done"


@dataclass(frozen=True, slots=True)
class Recipient:
    """An endpoint of the settings, or a URL that an upload has named. No secret is part of it: the
    delivery looks it up."""

    name: str = ""
    """The name of the endpoint; "" for a URL of an upload."""
    url: str = field(default="", repr=False)
    """The URL of an upload, which may hold a token of its owner's; "" for an endpoint."""
    events: tuple[EventType, ...] = tuple(EventType)
    """The events that it is told of."""

    @property
    def id(self) -> str:
        """Its name in a delivery, as `parse_recipient` reads it."""
        return f"endpoint:{self.name}" if self.name else f"url:{self.url}"

    @property
    def label(self) -> str:
        """Its name in logs: that of the endpoint, or the host of the URL."""
        return self.name or urlsplit(self.url).hostname or "?"

    @property
    def note(self) -> str:
        """A line that keeps it in Redis: its events, its label and its id as JSON."""
        return f"{','.join(self.events)} {self.label} {json.dumps(self.id)}\n"


def parse_recipient(id: str) -> Recipient:
    """The recipient of this `id`, without its events.

    Raises:
        ValueError: if it is not such an id.
    """
    kind, _, rest = id.partition(":")
    if kind == "endpoint" and rest:
        return Recipient(name=rest)
    if kind == "url" and rest:
        return Recipient(url=rest)
    raise ValueError("not a recipient")

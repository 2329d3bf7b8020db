"""What a client of /ws sends, and what it waits for."""

from __future__ import annotations

import base64
import json
from typing import Any

from websockets.sync.client import ClientConnection

LIMIT = 10 * 1024**2
"""Bytes of the largest picture, as the settings have it by default."""


def message(data: bytes, format: str | list[str] = "webp", **fields: Any) -> str:
    """A picture in base64."""
    encoded = base64.b64encode(data).decode()
    return json.dumps({"filename": "cat.jpg", "format": format, "data": encoded, **fields})


def announcement(format: str = "webp", **fields: Any) -> str:
    """What comes before a picture that is a binary message."""
    return json.dumps({"filename": "cat.jpg", "format": format, "binary": True, **fields})


def answers(ws: ClientConnection, count: int) -> list[dict[str, Any]]:
    """All that comes until `count` pictures have ended, done or with an error."""
    received = []
    while count:
        received.append(json.loads(ws.recv(timeout=60)))
        count -= received[-1]["status"] in ("done", "error")
    return received

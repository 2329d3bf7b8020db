"""Server-sent events, as a client reads them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import psutil


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    name: str
    id: str
    data: dict[str, Any]


def events_of(response: httpx.Response) -> Iterator[Event]:
    """The events of an answer, as they come (WHATWG HTML, section 9.2.6)."""
    name, id, data = "message", "", ""
    for line in response.iter_lines():
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield Event(name, id, json.loads(data))
            name, data = "message", ""
        elif field == "event":
            name = value
        elif field == "id":
            id = value
        elif field == "data":
            data += value


@contextlib.contextmanager
def streaming(http: httpx.Client, path: str, last_id: str = "") -> Iterator[Iterator[Event]]:
    """The events under this path."""
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
    with http.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200, response.read()
        yield events_of(response)


def steps_told(http: httpx.Client, path: str, frozen: Sequence[psutil.Process]) -> list[Event]:
    """All events under this path of a picture whose conversion has to wait for these decoders,
    which go on once they have it."""
    with streaming(http, path) as events:
        told = [next(events)]
        while told[-1].data["status"] != "processing":
            told.append(next(events))
        for decoder in frozen:
            decoder.resume()
        return told + list(events)


def status_codes(http: httpx.Client, path: str, last_id: str) -> int:
    """How a client is answered that comes again."""
    return http.get(path, headers={"Last-Event-ID": last_id}).status_code

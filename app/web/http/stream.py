"""Server-sent events: their text, and how far a client has come (WHATWG HTML, "Server-sent
events")."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from app.core.jobs.job import PictureJob

_MARK = 8
"""Characters of a mark: 48 bits, so that a step is taken for another once in 10^14."""

MAX_MARKS = 1000
"""Marks of an id, 8 KB, which fits into the head of a request; of more jobs the client is told
again."""

HEARTBEAT = b":\n\n"
"""A comment, which clients ignore."""


class Progress:
    """The steps that a client has been told, as the id of its events.

    The id has a mark for each job with the state that was told last. It holds on any server, and
    needs no memory there.
    """

    def __init__(self, last_id: str) -> None:
        """
        Args:
            last_id: the `Last-Event-ID` of the request; what is no id of ours counts as none.
        """
        marks = range(0, min(len(last_id), MAX_MARKS * _MARK), _MARK)
        self._before = frozenset(last_id[at : at + _MARK] for at in marks)
        self._told: dict[str, str] = {}

    def knows(self, job: PictureJob) -> bool:
        """Whether the client was told this state of the job, before or now."""
        mark = _mark(job)
        return mark in self._before or self._told.get(job.conversion.job_id) == mark

    def note(self, jobs: Iterable[PictureJob]) -> None:
        """Have the id tell that the client knows these."""
        for job in jobs:
            self._told[job.conversion.job_id] = _mark(job)

    @property
    def id(self) -> str:
        """The id of an event after which the client knows what was noted."""
        return "".join(list(self._told.values())[-MAX_MARKS:])


def event(data: Mapping[str, Any], id: str, name: str = "") -> bytes:
    """An event.

    Args:
        name: its type; "" for `message`.
    """
    head = f"event: {name}\n" if name else ""
    return f"{head}id: {id}\ndata: {json.dumps(data)}\n\n".encode()


def retry(milliseconds: int) -> bytes:
    """What tells a client when to connect again."""
    return f"retry: {milliseconds}\n\n".encode()


def _mark(job: PictureJob) -> str:
    name = f"{job.conversion.job_id} {job.token} {job.state}"
    return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()[:_MARK]

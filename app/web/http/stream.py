"""Server-sent events: their text, and how far a client has come (WHATWG HTML, "Server-sent
events")."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MARK = 8
"""Characters of a mark: 48 bits, so that a step is taken for another once in 10^14."""

MAX_MARKS = 1000
"""Marks of an id, 8 KB, which fits into the head of a request; of more jobs the client is told
again."""

HEARTBEAT = b":\n\n"
"""A comment, which clients ignore."""


@dataclass(frozen=True, slots=True)
class Step:
    job: str
    """The id of the job."""
    state: str
    """Differs from that of each other step of the job."""
    ended: bool
    """Whether it is the last."""
    data: Mapping[str, Any]
    """What a client is told."""
    moves: bool = False
    """Whether the client is told more than the state, and so even if it knows that."""
    follows: str = ""
    """The id of a job that has ended with this step."""

    @property
    def mark(self) -> str:
        """A short name of the step."""
        digest = hashlib.sha256(f"{self.job} {self.state}".encode()).digest()
        return base64.urlsafe_b64encode(digest).decode()[:_MARK]


class Progress:
    """The steps that a client has been told, as the id of its events.

    The id has for each job the mark of the step that was told last. It holds on any server, and
    needs no memory there.
    """

    def __init__(self, last_id: str) -> None:
        """
        Args:
            last_id: the `Last-Event-ID` of the request; an id that is not ours counts as none.
        """
        marks = range(0, min(len(last_id), MAX_MARKS * _MARK), _MARK)
        self._before = frozenset(last_id[at : at + _MARK] for at in marks)
        self._told: dict[str, str] = {}

    def knows(self, step: Step) -> bool:
        """Whether the client was told of the step, before or now."""
        return step.mark in self._before or self._told.get(step.job) == step.mark

    def note(self, step: Step) -> None:
        """Have the id tell that the client knows the step."""
        self._told[step.job] = step.mark

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

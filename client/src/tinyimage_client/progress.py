"""How a picture comes along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What is done with a picture."""

    SENDING = "sending"
    QUEUED = "queued"
    CONVERTING = "converting"
    RECEIVING = "receiving"
    WAITING = "waiting"  # until the server can be asked again


@dataclass(frozen=True, slots=True)
class Step:
    """A picture has come this far."""

    stage: Stage
    done: int = 0
    """Bytes sent or received."""
    total: int = 0
    """Bytes to send or to receive; 0 if that is unknown."""
    place: int | None = None
    """In the queue, 1 for the next; None if it has none."""
    seconds: float = 0.0
    """Until the server is asked again."""
    reason: str = ""
    """Why it waits."""


Progress = Callable[[Step], None]
"""Hears each step of a picture."""


def unheard(step: Step) -> None:
    """For callers that do not listen."""

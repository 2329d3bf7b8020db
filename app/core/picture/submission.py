"""A picture as it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.picture.batch import Member
from app.core.picture.priority import Priority
from app.core.picture.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Submission:
    """A picture as it was sent: what all its jobs have in common, beside its bytes."""

    filename: str
    size: int
    """Bytes."""
    media_type: str | None = None
    """None if it is unknown."""
    priority: Priority = Priority.INTERACTIVE
    recipients: Sequence[Recipient] = ()
    """Of the messages about its end."""
    member: Member | None = None
    """Its place in a batch."""

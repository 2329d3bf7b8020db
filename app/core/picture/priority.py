"""The priority of a picture."""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import told
from imaging.options.values import Choice


class Priority(StrEnum):
    """The priority of a picture; also the name of its RQ queue."""

    INTERACTIVE = "interactive"  # a person waits for it
    BULK = "bulk"  # after those


def parse_priority(value: object) -> Priority:
    """The priority that a client gives; interactive if it gives none.

    Raises:
        InvalidOption: if the priority is unknown.
    """
    name = value.strip() if isinstance(value, str) else value
    if name is None or name == "":
        return Priority.INTERACTIVE
    with told():
        return Choice(Priority, "").parse("priority", name)

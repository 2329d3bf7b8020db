"""How soon a picture is converted."""

from __future__ import annotations

from enum import StrEnum

from app.core.errors import told
from imaging.values import Choice


class Priority(StrEnum):
    """How soon a picture is to be converted. Each is the name of an RQ queue, too."""

    INTERACTIVE = "interactive"  # somebody waits for it
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

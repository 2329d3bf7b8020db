"""The declaration of a kind of storage: a module in `kinds` with a `KIND`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult

from app.core.section import Section
from app.core.storage.interface import Storage


@dataclass(frozen=True, slots=True)
class Server:
    """Data of the server that a storage may need, beside its settings."""

    redis_url: str | None
    """The Redis of the queue, if it is known."""
    verify_certificate: bool
    """Whether the certificate of a Redis must be one that an authority has signed."""
    max_age_seconds: float
    """How long a result is kept."""


class Place(Protocol):
    """The place of objects in a URL of the kind."""

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that holds them; None if they are elsewhere."""

    @property
    def in_queue(self) -> bool:
        """Whether the Redis of the queue holds them, whichever it is."""

    def open(self, settings: Section, server: Server) -> Storage:
        """The storage.

        Args:
            settings: the section `storage`, which has the settings of all kinds.

        Raises:
            StorageError: if it cannot be opened; its message is one line that says why.
        """


@dataclass(frozen=True, slots=True)
class Kind:
    schemes: tuple[str, ...]
    """The schemes of its URLs."""
    form: str
    """Their form, for messages: `s3://BUCKET/PREFIX`."""
    parse: Callable[[SplitResult], Place | None]
    """The place in a URL of one of the schemes; None if it lacks the form. It raises ValueError
    with a message that begins with "should" and repeats nothing of the URL: there may be a
    password."""
    about: str
    """Its description in docs/storage.md."""
    examples: str | None = None
    """Its URLs in that line, if they are others than `form`."""
    shared_by: str = "any machines"
    """The processes that can share one."""
    settings: type[Section] | None = None
    """Its own settings: they are settings of the section `storage`."""


def refuse_secrets(parts: SplitResult) -> None:
    """Check that the URL holds no secrets, as it is shown.

    Raises:
        ValueError: if it may hold one.
    """
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise ValueError("should have no user, no password and nothing after a ? or #")

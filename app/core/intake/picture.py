"""An incoming picture."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import IO, Self


@dataclass(frozen=True, slots=True)
class Picture:
    """An incoming picture. `with picture:` closes its file at the end, unless a submission has
    taken it."""

    file: IO[bytes]
    md5: str
    size: int
    """Bytes."""
    filename: str
    """Its name alone."""
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """Closes the file."""
    path: str = ""
    """Its name as the client has it, perhaps with folders; "" if that is the same."""

    @classmethod
    def of_bytes(cls, data: bytes, md5: str, filename: str) -> Self:
        """A picture that is in memory."""
        return cls(io.BytesIO(data), md5, len(data), filename)

    def take(self) -> contextlib.ExitStack:
        """Closes the file, for the new owner; the picture no longer does."""
        return self.held.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.held.close()

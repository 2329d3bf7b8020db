"""An incoming picture."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Self


@dataclass(slots=True)
class Picture:
    """An incoming picture. `with picture:` closes its file at the end, unless a submission has
    taken it."""

    file: IO[bytes]
    md5: str
    size: int
    """Bytes."""
    filename: str
    """Its name alone."""
    path: str = ""
    """Its name as the client has it, perhaps with folders; "" if that is the same."""
    is_taken: bool = False
    """Whether the file has another owner, who closes it."""

    @classmethod
    def of_bytes(cls, data: bytes, md5: str, filename: str) -> Self:
        """A picture that is in memory."""
        return cls(io.BytesIO(data), md5, len(data), filename)

    def take(self) -> IO[bytes]:
        """The file, for its new owner, who closes it; the picture no longer does."""
        self.is_taken = True
        return self.file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if not self.is_taken:
            self.file.close()

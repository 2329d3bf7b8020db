"""A compressed picture."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from tinyimage_client.errors import BadResult
from tinyimage_client.files import write_whole
from tinyimage_client.signature import looks_like


@dataclass(frozen=True, slots=True)
class Result:
    """What the server has made of a picture."""

    md5: str
    """Of the original, 32 lower-case hex digits."""
    format: str
    """Such as `webp`; also the ending of its file."""
    original_bytes: int
    data: bytes = field(repr=False)
    sent: bool
    """Whether the original was sent; not if the server had the result, or was at it."""

    @property
    def bytes(self) -> int:
        """Of the result."""
        return len(self.data)

    @property
    def saved_percent(self) -> float:
        """Of the original's bytes, to a tenth; below 0 if the result is larger."""
        saved = self.original_bytes - self.bytes
        return round(100 * saved / max(1, self.original_bytes), 1)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the result to a file: a reader finds the whole of it, or what was there before.

        Returns:
            the path.

        Raises:
            OSError: if it cannot be written. Nothing is left behind then.
        """
        target = Path(path)
        write_whole(target, self.data)
        return target


def check_result(format: str, data: bytes, size: int | None) -> None:
    """See that a result is whole.

    Args:
        size: bytes that it should have; None if that is not known.

    Raises:
        BadResult: if it has another length, or does not begin as its format does.
    """
    if size is not None and len(data) != size:
        raise BadResult(f"the result has {len(data)} bytes and should have {size}")
    if not looks_like(format, data):
        raise BadResult(f"the result does not begin as a {format} file does")

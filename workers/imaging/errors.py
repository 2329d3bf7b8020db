"""Why a picture cannot be converted."""

from __future__ import annotations

PROCESSING_FAILED = "processing_failed"
TOO_MANY_PIXELS = "too_many_pixels"
"""A limit that is counted from the header: pixels, sides, frames, metadata."""


class PictureError(Exception):
    """The picture itself is at fault, so trying again would not help. The message is the reason,
    the code is for programs."""

    def __init__(self, reason: str, code: str = PROCESSING_FAILED) -> None:
        super().__init__(reason)
        self.code = code


class ReaderFailed(PictureError):
    """The reader of first choice cannot read it; another one may."""

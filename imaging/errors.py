"""Why a picture is not converted."""

from __future__ import annotations

PROCESSING_FAILED = "processing_failed"
TOO_MANY_PIXELS = "too_many_pixels"
"""A limit that is counted from the header: pixels, sides, frames, metadata."""

TOO_MANY_BYTES = "too_many_bytes"
"""The picture gets no smaller than is asked for."""

TRANSPARENT = "transparent"
"""The transparency would be lost, and that is asked to be refused."""

DAMAGED = "damaged"
"""The file is not whole, and such a one is asked to be refused."""

ENDS_EARLY = "the file ends too early"
"""The reason, of whatever format."""


class Refused(ValueError):
    """What is asked for cannot be done, whatever the picture holds. The message is a sentence for
    the client."""


class InvalidOption(Refused):
    """An option has an invalid value, or conflicts with others."""


class UnsupportedFormat(Refused):
    """There is no such output format."""


class NotAnImage(Refused):
    """The file is not a picture, or of a kind that is not read."""


class PictureError(Exception):
    """The picture itself is at fault, so trying again would not help. The message is the reason,
    the code is for programs."""

    def __init__(self, reason: str, code: str = PROCESSING_FAILED) -> None:
        super().__init__(reason)
        self.code = code


class ReaderFailed(PictureError):
    """The reader of first choice cannot read it; another one may."""


class UnknownVariant(ReaderFailed):
    """The same, and nothing is wrong with the file."""

"""Why a picture is not compressed. The message of each is one line for people."""

from __future__ import annotations


class TinyImageError(Exception):
    """The base of all errors here."""

    code = "error"
    """For programs."""


class Unreachable(TinyImageError):
    """The server cannot be reached, or has not been for as long as the client waits."""

    code = "unreachable"


class NotAServer(TinyImageError):
    """What answers is not a TinyImage Server."""

    code = "not_a_server"


class Refused(TinyImageError):
    """The server refuses the request."""

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None
    ) -> None:
        """
        Args:
            status: of the answer over HTTP.
            code: the server's, for programs.
            retry_after: seconds after which the server may take it; None if it does not say.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class KeyRefused(Refused):
    """The API key is missing or wrong."""


class InvalidOption(TinyImageError):
    """The server has no such option, or not with this value."""

    code = "invalid_option"


class ConversionFailed(TinyImageError):
    """The server has taken the picture, and cannot convert it."""

    def __init__(self, code: str, message: str) -> None:
        """
        Args:
            code: the server's, such as `too_many_pixels`.
        """
        super().__init__(message)
        self.code = code


class BadResult(TinyImageError):
    """What the server sends has another length than it says, or is not a picture of its format."""

    code = "bad_result"


class SourceChanged(TinyImageError):
    """The file has changed while it was read."""

    code = "source_changed"

"""The head of an answer, in bytes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sanic.headers import format_http1_response

LINES = 1024
"""Header lines that are cached: most lines of an answer equal those of the one before."""

_NOWHERE = str.maketrans("", "", "\r\n\0")
"""Characters that would begin a new line (RFC 9112, section 11.1)."""

_STATUS_LINES = [format_http1_response(status, ()).removesuffix(b"\r\n") for status in range(1000)]


def head_of(status: int, headers: Iterable[tuple[str, object]]) -> bytes:
    """The status line and the headers, in their order, up to the body.

    Bytes are the same as those of Sanic's `format_http1_response`, which makes each header anew for
    each answer.
    """
    lines = [_line(name, str(value)) for name, value in headers]
    return b"".join([_STATUS_LINES[status], *lines, b"\r\n"])


@lru_cache(LINES)
def _line(name: str, value: str) -> bytes:
    name, value = name.translate(_NOWHERE), value.translate(_NOWHERE)
    return b"%b: %b\r\n" % (name.encode("ascii"), value.encode(errors="surrogateescape"))

"""The storage keys of a picture's files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.picture.conversion import Conversion

ORIGINALS = "originals"
RESULTS = "results"
SOURCES = "sources"
"""Uploads that are converted again and again, whatever becomes of their jobs."""
FETCHED = "fetched"
"""Files fetched by their URLs, until the request that asked for them has them."""

_KEY = re.compile(
    rf"(?:{ORIGINALS}|{RESULTS})/[0-9a-f]{{2}}/(?P<job_id>[\w-]+)\.(?P<token>[0-9a-f]+)(?:\.\w+)?"
)


def original(conversion: Conversion, token: str) -> str:
    """The storage key of the original that belongs to one submission."""
    return f"{ORIGINALS}/{conversion.md5[:2]}/{conversion.job_id}.{token}"


def result(conversion: Conversion, token: str) -> str:
    """The storage key of the result that belongs to one submission: its ending is the format's
    name as it was asked for, so that it is known before the format is."""
    return f"{RESULTS}/{conversion.md5[:2]}/{conversion.job_id}.{token}.{conversion.named}"


def source(md5: str, token: str) -> str:
    """The storage key of an upload that does not belong to a submission."""
    return f"{SOURCES}/{md5[:2]}/{md5}.{token}"


def fetched(token: str) -> str:
    """The storage key of a file that is fetched for one request.

    Args:
        token: of this request alone, two hex digits or more.
    """
    return f"{FETCHED}/{token[:2]}/{token}"


@dataclass(frozen=True, slots=True)
class Owner:
    """The submission that a stored object belongs to."""

    job_id: str
    token: str


def owner(key: str) -> Owner | None:
    """The owner of the object `key`, or None if it is neither an original nor a result."""
    match = _KEY.fullmatch(key)
    return Owner(match["job_id"], match["token"]) if match else None

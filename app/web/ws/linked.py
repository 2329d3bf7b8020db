"""Pictures that a socket names by their URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core.errors import ProcessingFailed, TinyImageError, Where, errors_at
from app.core.jobs.fetched.links import Link
from app.web.ws.messages import URL, short_fields

_OWN = frozenset({URL, "details", "filename", "binary", "data"})
"""Members that are not fields of an upload."""


def fields_with_url(message: str | bytes) -> Mapping[str, Any] | None:
    """The members of a message that names a picture by its URL; None if it is another message."""
    fields = short_fields(message, '"url"')
    has_picture = fields.get("data") or fields.get("binary")
    return fields if URL in fields and not has_picture else None


def upload_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of the upload that the members of a message ask for."""
    return {name: value for name, value in fields.items() if name not in _OWN}


def failure(link: Link) -> TinyImageError:
    """Why a picture could not be had, as sockets tell it."""
    kinds = (kind for kind in errors_at(Where.MESSAGE) if kind.code == link.error_code)
    return next(kinds, ProcessingFailed)(link.error)

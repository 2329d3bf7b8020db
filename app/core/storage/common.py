"""The settings that several kinds of storage have in common."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from app.core.section import Section, Text


def check_endpoint(endpoint: str | None) -> str | None:
    """The address, if it is one of HTTP.

    Raises:
        ValueError: if it is not; it does not repeat it.
    """
    parts = urlsplit(endpoint or "")
    if endpoint and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        raise ValueError("should be an address such as https://s3.example.org, without a user")
    return endpoint


class CommonSettings(Section):
    url: Text = Field(None, repr=False)
    """Where originals and results are kept, if not in `server.output_dir`: `file://FOLDER`,
    `s3://BUCKET/PREFIX`, `gs://…`, `az://…` or `redis://`; [storage.md](storage.md). A bucket's
    URL holds no user and no password."""
    endpoint: Annotated[Text, AfterValidator(check_endpoint)] = Field(None, repr=False)
    """The address of another server that is compatible with S3, Google or Azure; `http://` is
    allowed. By default that of the cloud."""

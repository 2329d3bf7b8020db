"""`storage.url`: what it may say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from app.core.redis.url import check_redis_url

EXPECTED = (
    "should be file://FOLDER, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX "
    "or redis://"
)


class StorageKind(StrEnum):
    """What keeps the objects."""

    FILE = "file"  # a folder
    S3 = "s3"  # Amazon's, and what speaks as it does
    GOOGLE = "gs"  # Google Cloud Storage
    AZURE = "az"  # Azure Blob Storage
    REDIS = "redis"  # chunks in Redis


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """A URL of a storage, taken apart."""

    kind: StorageKind
    folder: Path = Path()
    """Of files."""
    bucket: str = ""
    """Or container."""
    prefix: str = ""
    """What all keys in the bucket begin with; without slashes around it."""
    redis: str | None = None
    """The URL of the Redis; None is the one of `redis.url`."""


def parse_storage_url(url: str) -> StorageAddress:
    """What the URL says.

    Raises:
        ValueError: if it is none of a storage; it repeats nothing of it: there may be a password.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(EXPECTED) from None
    if parts.scheme in ("rediss", StorageKind.REDIS):
        if parts.scheme == StorageKind.REDIS and not parts.netloc and parts.path in ("", "/"):
            return StorageAddress(StorageKind.REDIS)
        if not parts.hostname:
            raise ValueError("should name a host, or be redis:// for the Redis of redis.url")
        return StorageAddress(StorageKind.REDIS, redis=check_redis_url(url))
    if parts.scheme not in list(StorageKind):
        raise ValueError(EXPECTED)
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise ValueError("should have no user, no password and nothing after a ? or #")
    kind = StorageKind(parts.scheme)
    if kind is StorageKind.FILE:
        return StorageAddress(kind, folder=_folder(parts))
    if not parts.netloc or parts.port is not None:
        raise ValueError(EXPECTED)
    return StorageAddress(kind, bucket=parts.netloc, prefix=unquote(parts.path).strip("/"))


def _folder(parts: SplitResult) -> Path:
    """file:///var/pictures is absolute; file://output and file://output/pictures are not."""
    if not parts.netloc and parts.path in ("", "/"):
        raise ValueError("should name a folder, as file://output or file:///var/pictures")
    return Path(unquote(parts.netloc + parts.path))


def check_storage_url(url: str | None) -> str | None:
    """The URL, if it is one of a storage; None for none.

    Raises:
        ValueError: if it is not; as `parse_storage_url`.
    """
    if url is None or not url.strip():
        return None
    parse_storage_url(url.strip())
    return url.strip()

"""Opens the storage that the settings name."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from app.core.config.settings import Settings, StorageSettings
from app.core.errors import StorageError
from app.core.redis.tls import without_check
from app.core.storage.address import StorageAddress, StorageKind, parse_storage_url
from app.core.storage.buckets import BucketStorage
from app.core.storage.errors import cause_of
from app.core.storage.files import FileStorage
from app.core.storage.interface import Storage
from app.core.storage.redis_storage import RedisStorage

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CONNECT_SECONDS = 2
READ_SECONDS = 10
"""How long a bucket may be silent: until its answer begins, sending included, and within it."""

RETRY_SECONDS = 5
"""After which a request is not tried again. That a bucket is gone is told at once, that one hangs
in READ_SECONDS, and that one cannot be reached in RETRY_SECONDS + CONNECT_SECONDS."""

_RETRY: RetryConfig = {
    "max_retries": 3,
    "retry_timeout": timedelta(seconds=RETRY_SECONDS),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=1),
        "base": 2,
    },
}
"""obstore's own are 10 retries in 3 minutes."""

_HTTP_VARIABLES = {
    StorageKind.S3: ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    StorageKind.GOOGLE: ("GOOGLE_BASE_URL",),
    StorageKind.AZURE: ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
"""Where obstore looks for another address than the cloud's own."""

_ALLOW_VARIABLES = {
    StorageKind.S3: "AWS_ALLOW_HTTP",
    StorageKind.GOOGLE: "GOOGLE_ALLOW_HTTP",
    StorageKind.AZURE: "AZURE_ALLOW_HTTP",
}


def open_storage(settings: Settings, redis_url: str | None) -> Storage:
    """The storage that `storage.url` names; without one, the files below `server.output_dir`.

    Args:
        redis_url: where the Redis of the queue is.

    Raises:
        StorageError: if it cannot be opened; its message is one line that says why.
    """
    if settings.storage.url is None:
        return _files(StorageAddress(StorageKind.FILE, folder=settings.server.output_dir))
    address = parse_storage_url(settings.storage.url)
    if address.kind is StorageKind.FILE:
        return _files(address)
    if address.kind is StorageKind.REDIS:
        url = address.redis or redis_url
        if url is not None and not settings.redis.verify_certificate:
            url = without_check(url)
        if url is None:
            raise StorageError("storage.url: redis:// is the Redis of redis.url, which is not set")
        return RedisStorage(
            url,
            max_age_seconds=settings.upload.max_age_seconds,
            limit=settings.storage.redis_limit or 0,
        )
    name = f"{address.kind}://{address.bucket}/{address.prefix}".rstrip("/")
    try:
        return BucketStorage(_bucket(address, settings.storage), name)
    except (BaseError, ValueError, OSError) as error:
        raise StorageError(f"the storage {name} cannot be opened: {cause_of(error)}") from None


def in_redis(settings: Settings) -> bool:
    """Whether the storage is the Redis of the queue."""
    return settings.storage.url is not None and parse_storage_url(
        settings.storage.url
    ) == StorageAddress(StorageKind.REDIS)


def _files(address: StorageAddress) -> FileStorage:
    folder = address.folder.absolute()
    try:
        return FileStorage(folder)
    except StorageError as error:
        reason = str(error).removeprefix("The storage fails: ")
        raise StorageError(f"the output folder {folder} cannot be written: {reason}") from None


def _bucket(address: StorageAddress, settings: StorageSettings) -> S3Store | GCSStore | AzureStore:
    """The store, with what the settings do not say from the environment; obstore reads that."""
    store, config = _store(address, settings)
    return store(
        address.bucket,
        prefix=address.prefix or None,
        client_options=_client_options(address.kind, settings.endpoint),
        retry_config=_RETRY,
        config=config,
    )


def _store(
    address: StorageAddress, settings: StorageSettings
) -> tuple[Callable[..., S3Store | GCSStore | AzureStore], dict[str, Any]]:
    """What makes the store, and what is its own of the settings."""
    endpoint = settings.endpoint
    match address.kind:
        case StorageKind.S3:
            return S3Store, {
                **({"region": settings.region} if settings.region else {}),
                **({} if settings.path_style else {"virtual_hosted_style_request": True}),
                **({"endpoint": _endpoint(address, settings)} if endpoint else {}),
            }
        case StorageKind.GOOGLE:
            return GCSStore, {"base_url": endpoint} if endpoint else {}
        case _:
            return AzureStore, {"endpoint": endpoint} if endpoint else {}


def _endpoint(address: StorageAddress, settings: StorageSettings) -> str:
    """The endpoint as obstore wants it: with the bucket in its host, if that is the style."""
    assert settings.endpoint is not None
    endpoint = settings.endpoint.rstrip("/")
    parts = urlsplit(endpoint)
    if settings.path_style or parts.netloc.startswith(f"{address.bucket}."):
        return endpoint
    return parts._replace(netloc=f"{address.bucket}.{parts.netloc}").geturl()


def _client_options(kind: StorageKind, endpoint: str | None) -> ClientConfig:
    given = endpoint or next(filter(None, map(os.environ.get, _HTTP_VARIABLES[kind])), "")
    allowed = os.environ.get(_ALLOW_VARIABLES[kind], "").lower() in ("1", "true", "yes", "on")
    return {
        "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=READ_SECONDS),
        # Of all of a request and its answer: a client that reads slowly must not be cut off.
        "timeout": timedelta(days=1),
        # Who names an address without TLS means it.
        "allow_http": allowed or given.startswith("http://"),
    }

"""Clouds with buckets: how their URLs are read, and how a bucket is opened."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from app.core.errors import StorageError
from app.core.section import Section
from app.core.storage.buckets import BucketStorage
from app.core.storage.common import CommonSettings
from app.core.storage.errors import cause_of
from app.core.storage.kind import Server, refuse_secrets

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

CONNECT_SECONDS = 2
READ_SECONDS = 10
"""How long a bucket may be silent: until its answer begins, sending included, and within it."""

RETRY_SECONDS = 5
"""After which a request is not tried again. A missing bucket fails at once, a hanging one after
READ_SECONDS, and an unreachable one after RETRY_SECONDS + CONNECT_SECONDS."""

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


@dataclass(frozen=True, slots=True)
class Cloud:
    """The differences between the clouds."""

    scheme: str
    store: Callable[..., S3Store | GCSStore | AzureStore]
    """The store class of obstore."""
    config: Callable[[str, str | None, Section], dict[str, Any]]
    """The store's options from the bucket, `storage.endpoint` and the settings of the kind; obstore
    reads all others from the environment."""
    endpoint_variables: tuple[str, ...]
    """The variables in which obstore looks for another address than the cloud's own."""
    allow_http_variable: str
    """The variables that allow such an address to be without TLS."""

    def parse(self, parts: SplitResult) -> BucketPlace | None:
        """The place in a URL, as `Kind.parse`."""
        refuse_secrets(parts)
        if not parts.netloc or parts.port is not None:
            return None
        return BucketPlace(self, parts.netloc, unquote(parts.path).strip("/"))


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A bucket, which Azure calls a container."""

    cloud: Cloud
    bucket: str
    prefix: str = ""
    """The prefix of all keys in it, without slashes around it."""

    folder = None
    in_queue = False

    def open(self, settings: Section, server: Server) -> BucketStorage:
        assert isinstance(settings, CommonSettings)
        name = f"{self.cloud.scheme}://{self.bucket}/{self.prefix}".rstrip("/")
        try:
            store = self.cloud.store(
                self.bucket,
                prefix=self.prefix or None,
                client_options=self._client_options(settings.endpoint),
                retry_config=_RETRY,
                config=self.cloud.config(self.bucket, settings.endpoint, settings),
            )
        except (BaseError, ValueError, OSError) as error:
            raise StorageError(f"the storage {name} cannot be opened: {cause_of(error)}") from None
        return BucketStorage(store, name)

    def _client_options(self, endpoint: str | None) -> ClientConfig:
        variables = map(os.environ.get, self.cloud.endpoint_variables)
        given = endpoint or next(filter(None, variables), "")
        allowed = os.environ.get(self.cloud.allow_http_variable, "").lower()
        return {
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "read_timeout": timedelta(seconds=READ_SECONDS),
            # Of all of a request and its answer: a client that reads slowly must not be cut off.
            "timeout": timedelta(days=1),
            # An explicit address without TLS is intended.
            "allow_http": allowed in ("1", "true", "yes", "on") or given.startswith("http://"),
        }

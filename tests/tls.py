"""A port in front of a Redis that listens on a unix socket; with TLS if that is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from urllib.parse import unquote, urlparse

from tests.forward import forwarded


@contextlib.contextmanager
def port_of(redis_url: str, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Forward connections to the Redis.

    The redis-server that comes with the tests is built without TLS, so its clients' side alone is
    real; tests/tls_server.py has one that speaks TLS itself, where there is one.
    """
    path = unquote(urlparse(redis_url).path)
    with forwarded(lambda: asyncio.open_unix_connection(path), context) as port:
        yield port

"""`redis.url`: its syntax, and whether it asks for a certificate that an authority has signed."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from redis import ConnectionPool

EXPECTED = "should be redis://HOST:6379/0, rediss://HOST:6379/0 or unix:///PATH"

_CHECK = "ssl_cert_reqs"
"""redis-py's own parameter of an address: `required`, `optional` or `none`."""


def check_redis_url(url: str) -> str:
    """The URL, if redis-py can connect with it.

    Raises:
        ValueError: if it cannot; the message repeats nothing, as there may be a password.
    """
    try:
        options = ConnectionPool.from_url(url).connection_kwargs  # connects to nothing yet
    except (ValueError, TypeError):  # of the scheme, the port, or a parameter such as ?db=
        raise ValueError(EXPECTED) from None
    if urlsplit(url).scheme == "unix" and not options.get("path"):
        raise ValueError(EXPECTED)
    return url


def without_check(url: str) -> str:
    """The address that accepts any certificate; others than `rediss://` stay unchanged.

    As part of the address this holds for every client and process that connects with it. A
    parameter that the address already has wins.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss" or _CHECK in parse_qs(parts.query):
        return url
    query = "&".join(filter(None, (parts.query, f"{_CHECK}=none")))
    return parts._replace(query=query).geturl()


def is_unchecked(url: str) -> bool:
    """Whether clients with this address accept any certificate."""
    parts = urlsplit(url)
    return parts.scheme == "rediss" and parse_qs(parts.query).get(_CHECK) == ["none"]

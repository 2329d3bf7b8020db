"""`redis.url`: its syntax."""

from __future__ import annotations

from urllib.parse import urlsplit

from redis import ConnectionPool

EXPECTED = "should be redis://HOST:6379/0, rediss://HOST:6379/0 or unix:///PATH"


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

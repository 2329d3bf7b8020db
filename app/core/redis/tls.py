"""The certificate of a Redis behind `rediss://`."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

_CHECK = "ssl_cert_reqs"
"""redis-py's own parameter of an address: `required`, `optional` or `none`."""


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

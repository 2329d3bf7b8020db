"""The certificate of a Redis behind `rediss://`."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

_CHECK = "ssl_cert_reqs"
"""redis-py's own parameter of an address: `required`, `optional` or `none`."""


def without_check(url: str) -> str:
    """The address by which any certificate is taken; others than `rediss://` stay as they are.

    As part of the address it holds for all who connect with it, in whatever way and process. What
    an address says of this itself counts.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss" or _CHECK in parse_qs(parts.query):
        return url
    query = "&".join(filter(None, (parts.query, f"{_CHECK}=none")))
    return parts._replace(query=query).geturl()


def is_unchecked(url: str) -> bool:
    """Whether whoever connects with this address takes any certificate."""
    parts = urlsplit(url)
    return parts.scheme == "rediss" and parse_qs(parts.query).get(_CHECK) == ["none"]

"""The client of a request."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from sanic import Request

NETWORK_BITS = 64
"""One customer has a whole /64 of IPv6 (RFC 6177): its addresses count as one."""

KNOWN_ADDRESSES = 1024
"""Networks that are cached."""


def client_address(request: Request) -> str:
    """The address of the client, as our outermost proxy has seen it.

    X-Forwarded-For is trusted as far as `server.proxies_count` says (Sanic's PROXIES_COUNT); an
    entry that is not an address is ignored.
    """
    config = request.app.config
    if not (config.PROXIES_COUNT or config.REAL_IP_HEADER or config.FORWARDED_SECRET):
        return str(request.ip or "")  # no proxy: Sanic would trust each header
    forwarded = str(request.remote_addr).strip("[]")
    if not forwarded:
        return str(request.ip or "")
    try:
        return str(ipaddress.ip_address(forwarded))
    except ValueError:
        return str(request.ip or "")


@lru_cache(KNOWN_ADDRESSES)
def client_network(address: str) -> str:
    """The key that counts as one client: the address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), NETWORK_BITS), strict=False))
    return str(parsed)

"""Whom a request comes from."""

from __future__ import annotations

import ipaddress

from sanic import Request

NETWORK_BITS = 64
"""One customer has a whole /64 of IPv6 (RFC 6177): its addresses count as one."""


def client_address(request: Request) -> str:
    """The address of the client, as the outermost proxy of ours has seen it.

    X-Forwarded-For is believed as far as `server.proxies_count` says (Sanic's PROXIES_COUNT); what
    is no address there counts for nothing.
    """
    config = request.app.config
    if not (config.PROXIES_COUNT or config.REAL_IP_HEADER or config.FORWARDED_SECRET):
        return str(request.ip or "")  # no proxy of ours: Sanic would look into each header
    forwarded = str(request.remote_addr).strip("[]")
    if not forwarded:
        return str(request.ip or "")
    try:
        return str(ipaddress.ip_address(forwarded))
    except ValueError:
        return str(request.ip or "")


def client_network(address: str) -> str:
    """What counts as one client: the address, or the /64 of one of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((int(parsed), NETWORK_BITS), strict=False))
    return str(parsed)

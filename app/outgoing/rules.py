"""Where requests may go."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ssrfguard import Address, Policy, Target

MAX_REDIRECTS = 3
"""Redirects that are followed, each checked as the first address is."""

_ATTEMPTS = 4
"""Addresses of one name that are tried, as a name may have any number."""

_USUAL_PORTS = (80, 443)
_FIRST_OWN_PORT = 1024
"""Below it, but for the usual ones, are the ports of other protocols (RFC 6335, section 6)."""

_NOT_PUBLIC_TOO = (
    ("::ffff:0:0:0/96", "IPv4-translated", "RFC 2765"),
    ("168.63.129.16/32", "what Azure tells its machines of themselves", "-"),
)
"""Networks that are missing in IANA's registries, and so in ssrfguard."""

Resolver = Callable[..., Any]
"""As `socket.getaddrinfo`."""


class OutgoingError(Exception):
    """A request that came to nothing. Its message is for the client: it says nothing of addresses
    that are not public."""


class TooLarge(OutgoingError):
    """The answer has more bytes than it may have."""


class Refused(OutgoingError):
    """The address is not one that a request may go to."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Where requests may go, and how long they may take."""

    allowed_hosts: frozenset[str] = frozenset()
    """Names that may lead anywhere, in lower case."""
    allowed_networks: tuple[str, ...] = ()
    """Networks that count as public."""
    connect_seconds: float = 5
    """For a connection, over all addresses of a name."""
    seconds: float = 20
    """For all of a request, its redirects included."""
    resolver: Resolver = socket.getaddrinfo

    def target(self, url: str) -> tuple[Target, Policy]:
        """The host and the port of a URL, and what is allowed of their addresses. An address in
        place of a name is checked here, a name where it is resolved.

        Raises:
            Refused: if the URL is not one of HTTP, names a user, or its address is not public.
        """
        from ssrfguard import BlockedAddressError, BlockedURLError

        open_policy, policy = _policies(self.allowed_networks, _checked_port(url))
        try:
            target = open_policy.check_url(url)
        except BlockedURLError:
            raise Refused(_NO_URL) from None
        if target.host.rstrip(".") in self.allowed_hosts:
            return target, open_policy
        try:
            return policy.check_url(url), policy
        except (BlockedAddressError, BlockedURLError):
            raise Refused(NOT_PUBLIC) from None

    def addresses(self, target: Target, policy: Policy) -> tuple[Address, ...]:
        """All addresses of a target, looked up once: connect to these and to no name.

        Raises:
            Refused: if any of them is not public.
            OutgoingError: if the name has none.
        """
        from ssrfguard import BlockedAddressError, resolve

        try:
            return resolve(target, policy=policy, resolver=self.resolver)
        except BlockedAddressError:
            raise Refused(NOT_PUBLIC) from None
        except (OSError, UnicodeError):
            raise OutgoingError("Cannot find the server") from None


def check_url(url: str, rules: Rules) -> None:
    """Nothing, if a request may go there as far as the URL alone tells.

    Raises:
        Refused: if not.
    """
    if not url.isascii() or not url.isprintable() or " " in url:
        raise Refused(_NOT_ASCII)
    rules.target(url)


NOT_PUBLIC = "The URL does not lead to a public address"
_NO_URL = "Cannot parse URL"
_NOT_ASCII = (
    "The URL should have letters of ASCII alone and no blanks: the name of its host in punycode "
    "(xn--…), all else percent-encoded"
)
_PORTS = f"{', '.join(map(str, _USUAL_PORTS))} and {_FIRST_OWN_PORT} to 65535"


def _checked_port(url: str) -> int:
    """The port that a URL of HTTP names, or 443.

    Raises:
        Refused: if it is of another kind, has a user, or its port is that of another protocol.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused(_NO_URL) from None
    if parts.scheme not in ("http", "https"):
        raise Refused("The URL should begin with http:// or https://")
    if "@" in parts.netloc:
        raise Refused("The URL should be without a user and a password: they are not sent")
    try:
        port = parts.port
    except ValueError:
        raise Refused(f"The port of the URL should be one of {_PORTS}") from None
    if port is None:
        return _USUAL_PORTS[-1]
    if port not in _USUAL_PORTS and port < _FIRST_OWN_PORT:
        raise Refused(f"The port of the URL should be one of {_PORTS} (it is {port})")
    return port


@cache
def _table(everything: bool) -> Any:
    """The addresses that are denied: none, or those that are not public."""
    from ssrfguard import DEFAULT_DENIED, AddressTable, Block, Reach

    if everything:
        return AddressTable(())
    more = (Block(ip_network(net), name, rfc, Reach.DENIED) for net, name, rfc in _NOT_PUBLIC_TOO)
    return AddressTable((*DEFAULT_DENIED.blocks, *more))


def _policies(networks: tuple[str, ...], port: int) -> tuple[Policy, Policy]:
    """A policy that allows every address, and one that allows the public ones and these."""
    from ssrfguard import Policy

    settings: dict[str, Any] = {
        "allowed_ports": frozenset((*_USUAL_PORTS, port)),
        "max_redirects": MAX_REDIRECTS,
        "max_connection_attempts": _ATTEMPTS,
    }
    return (
        Policy(denied_networks=_table(True), **settings),
        Policy(denied_networks=_table(False), allowed_networks=networks, **settings),  # type: ignore[arg-type]
    )


def check_networks(networks: Iterable[str]) -> list[str]:
    """The networks, if each is one.

    Raises:
        ValueError: if not, or if it is part of a range whose addresses stand for others, such as
            that of NAT64.
    """
    from ssrfguard import Policy

    networks = list(networks)
    for network in networks:
        try:
            Policy(allowed_networks=(network,))  # type: ignore[arg-type]
        except ValueError:
            raise ValueError(
                f"{network!r} should be a network such as 10.0.0.0/8 or fd00::/8, and none whose "
                "addresses stand for others"
            ) from None
    return networks


def check_hosts(hosts: Iterable[str]) -> list[str]:
    """The names in lower case.

    Raises:
        ValueError: if one is not the name of a host, such as one with a port.
    """
    names = [host.lower().rstrip(".") for host in hosts]
    for name in names:
        if urlsplit(f"http://{name}/").hostname != name or "*" in name:
            raise ValueError(f"{name!r} should be the name of a host, such as media.example.org")
    return names

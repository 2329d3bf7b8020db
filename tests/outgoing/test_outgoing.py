"""Requests to servers that a client names go to public addresses, and do not take for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.outgoing.fetch import fetch
from app.outgoing.rules import OutgoingError, Refused, Rules, check_hosts, check_networks
from tests.hosts import PICTURE, Host, host

LIMIT = 100_000
LOOPBACK = ("127.0.0.1/32",)


@pytest.fixture(name="host")
def _host() -> Iterator[Host]:
    with host() as running:
        yield running


def _rules(**given: Any) -> Rules:
    return Rules(**{"allowed_networks": LOOPBACK, "seconds": 10, **given})


LITERALS = [
    *("127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0"),
    *(
        "127.0.0.1.",
        "①②⑦.⓪.⓪.①",
        "１２７.0.0.1",
        "127。0。0。1",
    ),
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.0.1"),
    *("169.254.169.254", "169.254.0.1", "168.63.129.16", "100.100.100.200"),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("[::1]", "[::]", "[fe80::1]", "[fe80::1%25lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]"),
    *("[ff02::1]", "[2001:db8::1]", "[100::1]", "[5f00::1]"),
    # What holds an IPv4 address: mapped, compatible, translated, NAT64, 6to4, Teredo.
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]"),
    *("[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]"),
    *("[64:ff9b:1::127.0.0.1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"),
    *("[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"),
]


@pytest.mark.parametrize("name", LITERALS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_leads_to_no_public_address_is_refused(scheme: str, name: str, host: Host) -> None:
    with pytest.raises(Refused) as refused:
        fetch(f"{scheme}://{name}:{host.port}/picture", Rules(), LIMIT)
    assert not host.requests
    assert str(refused.value) in (
        "The URL does not lead to a public address",
        "Cannot parse URL",
    )


@pytest.mark.parametrize(
    "url",
    [
        *(
            "file:///etc/passwd",
            "file://wrong",
            "ftp://example.org/",
            "gopher://127.0.0.1/",
            "data:,a",
        ),
        *(
            "",
            "http://",
            "//example.org/",
            "example.org",
            "http://[::1",
            "http://a b/",
            "http://a\n/",
        ),
        *(
            "http://user@example.org/",
            "http://user:secret@example.org/",
            "http://example.org:99999/",
        ),
        *("http://example.org:25/", "http://example.org:0/", "http://a.org:99999/"),
    ],
)
def test_what_is_no_url_of_http_is_refused_without_a_look_up(url: str) -> None:
    def resolver(*given: Any) -> Any:
        raise AssertionError("looked up")

    with pytest.raises(Refused):
        fetch(url, Rules(resolver=resolver), LIMIT)


def test_a_picture_is_fetched_and_nothing_of_anybody_is_told(host: Host) -> None:
    assert fetch(f"{host.url}/picture?a=1&b=%20#part", _rules(), LIMIT) == PICTURE
    ((path, headers),) = host.requests
    assert path == "/picture?a=1&b=%20"
    assert headers == {
        "host": f"127.0.0.1:{host.port}",
        "user-agent": "TinyImage-Server",
        "accept": "image/*",
        "accept-encoding": "identity",
        "connection": "close",
    }


class _Names:
    """A name server that gives these answers, one after the other."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, name: str, port: int, *more: Any) -> list[Any]:
        addresses = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


def test_a_name_that_changes_its_address_is_connected_where_it_was_checked(host: Host) -> None:
    names = _Names(("127.0.0.1",), ("127.0.0.2",))
    rules = _rules(resolver=names)
    url = f"http://rebinds.example.org:{host.port}/picture"
    assert fetch(url, rules, LIMIT) == PICTURE
    assert names.asked == 1
    with pytest.raises(Refused):
        fetch(url, rules, LIMIT)
    assert len(host.requests) == 1


@pytest.mark.parametrize("name", ["localhost", "localhost.", "LOCALHOST", "a.localhost"])
@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "100.64.0.1"])
def test_a_name_of_what_is_not_public_is_refused(name: str, address: str, host: Host) -> None:
    with pytest.raises(Refused):
        fetch(f"http://{name}:{host.port}/picture", Rules(resolver=_Names((address,))), LIMIT)
    assert not host.requests


def test_a_name_with_one_address_that_is_not_public_is_refused(host: Host) -> None:
    rules = _rules(resolver=_Names(("127.0.0.1", "127.0.0.2")))
    with pytest.raises(Refused):
        fetch(f"http://both.example.org:{host.port}/picture", rules, LIMIT)


def test_a_redirect_is_looked_up_and_checked_anew(host: Host) -> None:
    rules = _rules(resolver=_Names(("127.0.0.1",), ("127.0.0.2",)))
    url = f"http://rebinds.example.org:{host.port}"
    with pytest.raises(Refused):
        fetch(f"{url}/to/{url}/picture", rules, LIMIT)
    assert len(host.requests) == 1


@pytest.mark.parametrize(
    "place",
    ["http://127.0.0.2/", "http://169.254.169.254/latest/", "file:///etc/passwd", "//[::1]/"],
)
def test_a_redirect_to_what_is_not_public_is_refused(place: str, host: Host) -> None:
    with pytest.raises(Refused) as refused:
        fetch(f"{host.url}/to/{place}", _rules(), LIMIT)
    told = "begin with http:// or https://" if "file:" in place else "to a public address"
    assert told in str(refused.value)


def test_three_redirects_are_followed_and_no_more(host: Host) -> None:
    assert fetch(f"{host.url}/redirects/3", _rules(), LIMIT) == PICTURE
    with pytest.raises(OutgoingError, match="more than 3 redirects"):
        fetch(f"{host.url}/redirects/4", _rules(), LIMIT)


def test_hosts_and_networks_can_be_allowed(host: Host) -> None:
    names = _Names(("127.0.0.1",))
    url = f"http://Media.example.org.:{host.port}/picture"
    with pytest.raises(Refused):
        fetch(url, Rules(resolver=names), LIMIT)
    open_rules = Rules(frozenset(check_hosts(["media.EXAMPLE.org"])), resolver=names)
    assert fetch(url, open_rules, LIMIT) == PICTURE
    for other in ("example.org", "a.media.example.org", "127.0.0.1"):
        with pytest.raises(Refused):
            fetch(f"http://{other}:{host.port}/picture", open_rules, LIMIT)


def test_what_is_wrong_is_said(host: Host) -> None:
    said = {
        "status/403": "Server responded with 403",
        "status/204": "Server responded with 204",
        "announced": "The answer is larger than 100000 bytes",
        "endless": "The answer is larger than 100000 bytes",
        "short": "The server's answer was cut off",
        "bomb": "The server's answer is compressed, which was not asked for",
    }
    for path, reason in said.items():
        with pytest.raises(OutgoingError) as failed:
            fetch(f"{host.url}/{path}", _rules(), LIMIT)
        assert str(failed.value) == reason
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(OutgoingError, match="Cannot connect to the server"):
            fetch(f"http://127.0.0.1:{closed.getsockname()[1]}/", _rules(), LIMIT)
    with pytest.raises(OutgoingError, match=r"cannot be understood|cut off"):
        fetch(host.url.replace("http:", "https:"), _rules(), LIMIT)


@pytest.mark.parametrize("path", ["slow", "silent", "drips"])
def test_a_slow_server_is_not_waited_for_longer_than_is_set(path: str, host: Host) -> None:
    began = time.monotonic()
    with pytest.raises(OutgoingError, match=r"longer than 0\.5 seconds"):
        fetch(f"{host.url}/{path}", _rules(seconds=0.5), LIMIT)
    assert time.monotonic() - began < 5


def test_a_silent_name_server_is_not_waited_for_longer_than_is_set() -> None:
    heard = threading.Event()

    def resolver(*given: Any) -> Any:
        heard.wait()
        raise OSError

    try:
        with pytest.raises(OutgoingError, match=r"longer than 0\.2 seconds"):
            fetch("http://example.org/", Rules(seconds=0.2, resolver=resolver), LIMIT)
    finally:
        heard.set()


@pytest.mark.parametrize("network", ["10.0.0.1/8", "all", "64:ff9b::/96", "::ffff:a00:0/104"])
def test_a_network_that_is_none_or_stands_for_others_is_not_allowed(network: str) -> None:
    with pytest.raises(ValueError, match="should be a network"):
        check_networks([network])
    assert check_networks(["10.0.0.0/8", "fd00::/8", "::1/128"])


@pytest.mark.parametrize("name", ["*.example.org", "example.org:80", "http://a", "a/b", "", "u@a"])
def test_what_is_no_name_of_a_host_is_not_allowed(name: str) -> None:
    with pytest.raises(ValueError, match="should be the name of a host"):
        check_hosts([name])

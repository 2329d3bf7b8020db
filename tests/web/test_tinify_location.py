"""The address of an output in the form that each client can follow."""

from __future__ import annotations

import pytest
from sanic.compat import Header

from app.web.tinify.location import Located, locate

OFFICIAL = "Tinify/1.7.2 Python/3.11.7 (CPython)"
PATH = "/output/abc"


def _at(scheme: str = "http", public_url: str | None = None, **headers: str) -> Located:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return locate(PATH, Header(named), scheme, public_url)


def test_over_http_official_clients_get_a_path_and_others_the_whole() -> None:
    whole = f"http://img.example:8080{PATH}"
    assert _at(host="img.example:8080", user_agent=OFFICIAL) == Located(PATH, whole)
    assert _at(host="img.example:8080", user_agent="curl/8") == Located(whole, whole)
    assert _at(host="img.example:8080") == Located(whole, whole)


@pytest.mark.parametrize("agent", [OFFICIAL, "curl/8"])
@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        ("https", {"host": "img.example"}),
        ("http", {"host": "img.example", "x_forwarded_proto": "https"}),
        ("http", {"host": "img.example", "x_forwarded_proto": "HTTPS, http"}),
        (
            "http",
            {
                "host": "10.0.0.1:8080",
                "x_forwarded_proto": "https",
                "x_forwarded_host": "img.example",
            },
        ),
    ],
)
def test_over_https_every_client_gets_the_whole(
    agent: str, scheme: str, headers: dict[str, str]
) -> None:
    whole = f"https://img.example{PATH}"
    assert _at(scheme, user_agent=agent, **headers) == Located(whole, whole)


def test_the_setting_wins_over_what_the_request_says() -> None:
    whole = f"https://img.example/tiny{PATH}"
    located = _at(public_url="https://img.example/tiny/", host="other", user_agent=OFFICIAL)
    assert located == Located(whole, whole)


@pytest.mark.parametrize("prefix", ["/tools/tiny", "/tools/tiny/", "/tools/tiny, /inner"])
def test_the_path_that_a_proxy_has_taken_off_is_put_before(prefix: str) -> None:
    whole = f"http://img.example/tools/tiny{PATH}"
    located = _at(host="img.example", x_forwarded_prefix=prefix, user_agent="curl/8")
    assert located == Located(whole, whole)
    # It puts its own address before, in which the prefix is.
    official = _at(host="img.example", x_forwarded_prefix=prefix, user_agent=OFFICIAL)
    assert official == Located(PATH, whole)


@pytest.mark.parametrize("prefix", ["", "/", "tiny", "//evil.example", "/a b", "/a?b", "/é"])
def test_a_prefix_that_is_none_is_not_repeated(prefix: str) -> None:
    whole = f"http://img.example{PATH}"
    assert _at(host="img.example", x_forwarded_prefix=prefix).url == whole


@pytest.mark.parametrize("host", ["evil.example/x", "a b", 'a"b', "", "[::1", "a:b:c"])
def test_a_host_that_is_none_is_not_repeated(host: str) -> None:
    assert _at(host=host, user_agent="curl/8") == Located(PATH, PATH)


@pytest.mark.parametrize("host", ["api.tinify.com", "api.tinypng.com", "[::1]:8080", "10.0.0.1"])
def test_every_name_that_a_client_may_use_is_kept(host: str) -> None:
    assert _at(host=host).url == f"http://{host}{PATH}"

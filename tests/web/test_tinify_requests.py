"""The Tinify API as clients send it, each in its own way."""

from __future__ import annotations

import base64
import io
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.imaging.damage import DAMAGED, HARMLESS
from tests.pictures import encoded, md5, opened, snapshot
from tests.service import NO_TLS, Service
from tests.web.alone import answer
from tests.web.contract import Contract
from tests.web.keys import KEY, WRONG
from tests.web.wordmark import wordmark

OFFICIAL = {"User-Agent": "Tinify/1.7.2 Python/3.11.7 (CPython)"}


def _basic(user: str = "api", key: str = KEY, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(f'{user}:{key}'.encode()).decode()}"}


AUTH = _basic()


@pytest.fixture(scope="module")
def http(tinify_server: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=tinify_server.url, timeout=60, verify=NO_TLS) as client:
        yield client


@pytest.fixture(scope="module")
def contract(tinify_server: Service) -> Contract:
    return Contract(tinify_server.url)


@pytest.fixture(scope="module")
def output(http: httpx.Client) -> str:
    """The path of an output."""
    return str(_shrink(http, wordmark()).headers["location"])


def _shrink(http: httpx.Client, data: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = http.post("/shrink", content=data, headers={**AUTH, **OFFICIAL, **named})
    assert response.status_code == 201, response.text
    return response


def _refused(response: httpx.Response, status: int, error: str) -> str:
    """The message of an error, which has all that clients look at."""
    assert response.status_code == status, response.text
    assert int(response.headers["compression-count"]) >= 0
    assert response.headers["content-type"] == "application/json"
    assert "www-authenticate" not in response.headers
    told = response.json()
    assert told["error"] == error
    return str(told["message"])


def test_the_answer_says_what_became_of_the_picture(http: httpx.Client, contract: Contract) -> None:
    data = snapshot()
    response = _shrink(http, data)
    contract.check(response)
    told = response.json()
    assert told["input"] == {"size": len(data), "type": "image/jpeg"}
    assert told["output"]["type"] == "image/jpeg"
    assert (told["output"]["width"], told["output"]["height"]) == opened(data).size
    assert told["output"]["ratio"] == round(told["output"]["size"] / len(data), 4)
    # Whoever has the address may read it.
    result = http.get(told["output"]["url"])
    contract.check(result)
    assert len(result.content) == told["output"]["size"] == int(result.headers["content-length"])
    assert result.headers["image-width"] == str(told["output"]["width"])
    assert result.headers["image-height"] == str(told["output"]["height"])
    assert result.headers["content-type"] == "image/jpeg"
    head = http.head(response.headers["location"])
    contract.check(head)
    for name in ("content-length", "content-type", "image-width", "image-height"):
        assert head.headers[name] == result.headers[name]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content_type": "application/x-www-form-urlencoded"},
        {"content_type": "multipart/form-data"},
        {"content_type": "application/json"},
        {"content_type": "application/json; charset=utf-8"},
        {"accept": "application/json", "accept_encoding": "gzip"},
        {"accept_encoding": "identity", "expect": "100-continue"},
    ],
)
def test_a_picture_is_taken_whatever_it_is_declared_as(
    http: httpx.Client, headers: dict[str, str]
) -> None:
    assert _shrink(http, wordmark(), **headers).json()["input"]["type"] == "image/png"


def test_a_picture_is_taken_in_chunks(http: httpx.Client) -> None:
    data = snapshot()
    parts = [data[:3], data[3:70_000], data[70_000:]]
    assert _shrink(http, iter(parts)).json()["input"]["size"] == len(data)


COMMANDS = {"resize": {"method": "fit", "width": 50, "height": 20}}


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "types",
    [
        [],
        ["application/json"],
        ["application/json; charset=utf-8"],
        # As WordPress sends it without curl.
        ["application/json", "multipart/form-data"],
        ["application/x-www-form-urlencoded"],
    ],
)
def test_commands_are_read_with_any_method_and_type(
    http: httpx.Client, output: str, method: str, types: list[str], *, chunked: bool
) -> None:
    body = json.dumps(COMMANDS).encode()
    headers = [*AUTH.items(), *(("Content-Type", type) for type in types)]
    response = http.request(
        method, output, content=iter([body[:9], body[9:]]) if chunked else body, headers=headers
    )
    assert response.status_code == 200, response.text
    assert (response.headers["image-width"], response.headers["image-height"]) == ("50", "8")
    assert opened(response.content).size == (50, 8)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'{"resize": null}', b" \n"])
def test_no_commands_give_the_result_itself(http: httpx.Client, output: str, body: bytes) -> None:
    plain = http.get(output).content
    for method in ("GET", "POST"):
        headers = {**AUTH, "Content-Type": "application/json"}
        response = http.request(method, output, content=body, headers=headers)
        assert response.status_code == 200
        assert response.content == plain


def test_no_answer_depends_on_what_is_accepted(http: httpx.Client, output: str) -> None:
    for accept in ("application/json", "text/html", "image/webp"):
        response = http.get(output, headers={"Accept": accept, "Accept-Encoding": "gzip"})
        assert response.headers["content-type"] == "image/png"
        assert "content-encoding" not in response.headers


@pytest.mark.parametrize("user", ["api", "user", "", "someone:else"])
@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_password_is_the_key_whoever_gives_it(
    http: httpx.Client, scheme: str, user: str
) -> None:
    key = KEY if ":" not in user else f"{WRONG}"
    response = http.post("/shrink", headers=_basic(user, key, scheme))
    if ":" in user:
        _refused(response, 401, "Unauthorized")
    else:
        assert _refused(response, 400, "InputMissing") == "No input"


@pytest.mark.parametrize("headers", [{}, _basic(key=WRONG), _basic(key=""), {"Authorization": "x"}])
@pytest.mark.parametrize("body", [b"", wordmark(), b'{"source": {"url": "http://example.org"}}'])
def test_without_a_key_nothing_is_taken(
    http: httpx.Client, contract: Contract, headers: dict[str, str], body: bytes
) -> None:
    response = http.post("/shrink", content=body, headers=headers)
    assert _refused(response, 401, "Unauthorized") == "Credentials are invalid."
    contract.check(response)


def test_an_output_is_read_without_a_key_and_commanded_with_one(
    http: httpx.Client, output: str
) -> None:
    body = json.dumps(COMMANDS).encode()
    for method in ("GET", "POST"):
        _refused(http.request(method, output, content=body), 401, "Unauthorized")
    _refused(http.get(output, headers=_basic(key=WRONG)), 401, "Unauthorized")
    assert http.get(output).status_code == 200


def test_a_post_without_a_length_has_no_body(tinify_server: Service) -> None:
    with socket.create_connection(("127.0.0.1", tinify_server.port), timeout=60) as connection:
        head = f"POST /shrink HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTH['Authorization']}\r\n\r\n"
        connection.sendall(head.encode())
        status, headers, body = answer(connection)
    assert status == 400
    assert json.loads(body) == {"error": "InputMissing", "message": "No input"}
    assert headers["compression-count"].isdigit()


def test_headers_have_the_case_that_clients_look_for(tinify_server: Service) -> None:
    with socket.create_connection(("127.0.0.1", tinify_server.port), timeout=60) as connection:
        head = (
            f"POST /shrink HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTH['Authorization']}\r\n"
            f"Content-Length: {len(wordmark())}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode() + wordmark())
        received = b""
        while data := connection.recv(65536):
            received += data
    for name in (b"\r\nLocation: http://x/output/", b"\r\nCompression-Count: "):
        assert name in received


@pytest.mark.parametrize(
    ("headers", "location", "url"),
    [
        ({"Host": "img.example"}, "http://img.example", "http://img.example"),
        ({"Host": "img.example", **OFFICIAL}, "", "http://img.example"),
        (
            {"Host": "api.tinify.com", "X-Forwarded-Proto": "https", **OFFICIAL},
            "https://api.tinify.com",
            "https://api.tinify.com",
        ),
    ],
)
def test_each_client_gets_an_address_that_it_can_follow(
    http: httpx.Client, headers: dict[str, str], location: str, url: str
) -> None:
    response = http.post("/shrink", content=wordmark(), headers={**AUTH, **headers})
    place = response.headers["location"]
    assert place.startswith(f"{location}/output/")
    assert response.json()["output"]["url"] == f"{url}/output/{place.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"", 400, "InputMissing"),
        (b"{}", 400, "InputMissing"),
        (b" null\n", 400, "InputMissing"),
        (b"not a picture", 415, "Unsupported media type"),
        (b"x" * 100_000, 415, "Unsupported media type"),
        (b"{", 400, "Bad request"),
        (b'{"0":137,"1":80,"2":78}', 400, "Bad request"),
        (b"{" * 60_000, 400, "Bad request"),
        (b'{"a":' * 15_000 + b"1" + b"}" * 15_000, 400, "Bad request"),
        (b'{"source": {"url": "' + b"x" * 200_000, 413, "Request entity too large"),
        (b"{" + b" " * 20_000_000 + b"}", 413, "Request entity too large"),
        (b"\x89PNG\r\n\x1a\n" + bytes(20_000_000), 413, "Request entity too large"),
        (wordmark()[:50], 400, "Decode error"),
    ],
)
def test_what_is_no_picture_is_refused_in_the_services_words(
    http: httpx.Client, contract: Contract, body: bytes, status: int, error: str
) -> None:
    response = http.post("/shrink", content=body, headers=AUTH)
    message = _refused(response, status, error)
    assert message
    assert "Traceback" not in message
    contract.check(response)
    chunked = http.post("/shrink", content=iter([body[:70_000], body[70_000:]]), headers=AUTH)
    _refused(chunked, status, error)


@pytest.mark.parametrize(
    "name", ["JPEG, 60% of it", "JPEG with zeros inside", "PNG, 90% of it", "GIF, 60% of it"]
)
def test_a_damaged_picture_is_refused_and_takes_the_place_of_none(
    http: httpx.Client, contract: Contract, name: str
) -> None:
    response = http.post("/shrink", content=DAMAGED[name](), headers=AUTH)
    message = _refused(response, 400, "Decode error")
    assert message.startswith("Image could not be decoded: the picture is damaged: ")
    contract.check(response)


@pytest.mark.parametrize(
    "name", ["JPEG without an end", "JPEG with broken EXIF", "PNG with something behind it"]
)
def test_a_picture_that_only_looks_damaged_is_taken(http: httpx.Client, name: str) -> None:
    assert _shrink(http, HARMLESS[name]()).json()["output"]["size"] > 0


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b"garbage", 400, "Bad request"),
        (b"[1]", 400, "Bad request"),
        (b"[" * 90_000, 400, "Bad request"),
        (b'{"resize": {"method": "fit", "width": -1, "height": 5}}', 400, "Bad request"),
        (b'{"convert": {"type": "image/tiff"}}', 400, "Bad request"),
        (b'{"convert": {"quality": 500}}', 400, "Bad request"),
        (b'{"transform": {"background": "mauve"}}', 400, "Bad request"),
        (b'{"preserve": ["author"]}', 400, "JSON validation error"),
        (b'{"resize": {"width": 5}}' + b" " * 20_000_000, 413, "Request entity too large"),
    ],
)
def test_commands_that_make_no_sense_are_refused_in_the_services_words(
    *, http: httpx.Client, contract: Contract, output: str, body: bytes, status: int, error: str
) -> None:
    for method in ("GET", "POST"):
        response = http.request(method, output, content=body, headers=AUTH)
        assert _refused(response, status, error)
        contract.check(response)


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "image/png"])
def test_null_is_no_picture_whatever_it_is_declared_as(
    http: httpx.Client, content_type: str
) -> None:
    headers = {**AUTH, "Content-Type": content_type}
    response = http.post("/shrink", content=b"null", headers=headers)
    assert _refused(response, 400, "InputMissing") == "No input"


@pytest.mark.parametrize("type", ["[]", "null"])
def test_no_type_to_convert_to_is_no_compression(
    http: httpx.Client, output: str, type: str
) -> None:
    before = http.post("/shrink", headers=AUTH).headers["compression-count"]
    for body in (f'{{"convert": {{"type": {type}}}}}', f'{{"convert": {type}}}'):
        response = http.post(output, content=body, headers=AUTH)
        assert response.status_code == 200
        assert response.headers["compression-count"] == before
    assert response.content == http.get(output).content


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("POST /shrink", "Request header fields too large"),
        ("GET /output/abc?a=b", "Request header fields too large"),
        ("GET /keys/" + "x" * 900, "Request header fields too large"),
        ("GET /shrinkage", "request_header_fields_too_large"),
        ("GET /status/shrink", "request_header_fields_too_large"),
        ("no request at all", "request_header_fields_too_large"),
    ],
)
def test_a_head_that_is_too_large_is_refused_in_the_words_of_who_is_asked(
    tinify_server: Service, line: str, error: str
) -> None:
    head = f"{line} HTTP/1.1\r\nHost: x\r\nCookie: {'c' * 40_000}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", tinify_server.port), timeout=60) as connection:
        connection.sendall(head.encode())
        status, _, body = answer(connection)
    assert (status, json.loads(body)["error"]) == (431, error)


@pytest.mark.parametrize(
    ("method", "path", "status", "error"),
    [
        ("GET", "/output/" + "a" * 32, 404, "Not found"),
        ("GET", "/output/x", 404, "Not found"),
        ("GET", "/output/a/b", 404, "Not found"),
        ("GET", "/output/..%2f..", 404, "Not found"),
        ("GET", "/keys/unknown", 404, "Not found"),
        ("POST", "/keys", 404, "Not found"),
        ("GET", "/output", 404, "Not found"),
        ("POST", "/keys/unknown", 405, "Method not allowed"),
        ("GET", "/shrink", 405, "Method not allowed"),
        ("PUT", "/output/" + "a" * 32, 405, "Method not allowed"),
        ("DELETE", "/shrink", 405, "Method not allowed"),
    ],
)
def test_every_error_is_json_in_the_services_words(
    http: httpx.Client, method: str, path: str, status: int, error: str
) -> None:
    message = _refused(http.request(method, path, headers=AUTH), status, error)
    if status == 404:
        assert message == "Resource not found or expired."


def test_a_key_is_asked_how_it_stands(
    http: httpx.Client, contract: Contract, tinify_server: Service
) -> None:
    response = http.get(f"/keys/{KEY}")
    contract.check(response)
    assert response.json() == {}
    assert response.headers["paying-state"] == "paid"
    assert int(response.headers["compression-count"]) >= 0
    assert "compression-count-remaining" not in response.headers
    http.post(f"/keys/{KEY}")
    assert KEY not in "".join(tinify_server.log)


@pytest.mark.parametrize(
    ("data", "types"),
    [
        (encoded(opened(snapshot()), "TIFF"), {"image/jpeg"}),
        (encoded(opened(snapshot()), "BMP"), {"image/jpeg"}),
        (encoded(opened(snapshot()), "GIF"), {"image/gif"}),
        (encoded(opened(snapshot()), "WEBP"), {"image/webp"}),
    ],
)
def test_a_format_that_is_not_written_becomes_one_that_every_browser_shows(
    http: httpx.Client, data: bytes, types: set[str]
) -> None:
    assert _shrink(http, data).json()["output"]["type"] in types


def test_a_transparent_picture_of_such_a_format_stays_transparent(http: httpx.Client) -> None:
    told = _shrink(http, _as_tiff(wordmark())).json()
    assert told["output"]["type"] == "image/png"
    assert opened(http.get(told["output"]["url"]).content).has_transparency_data


def test_one_output_is_used_by_many_at_once(http: httpx.Client) -> None:
    path = _shrink(http, snapshot()).headers["location"]

    def commanded(number: int) -> bytes:
        body = {"resize": {"method": "scale", "width": 40 + number % 2}}
        response = http.post(path, json=body, headers=AUTH)
        assert response.status_code == 200, response.text
        return response.content

    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(commanded, range(10)))
    assert len(set(results)) == 2


def test_many_who_send_the_same_bytes_share_one_upload_and_one_job(
    http: httpx.Client, tinify_server: Service
) -> None:
    data = snapshot()
    with ThreadPoolExecutor(10) as pool:
        paths = list(pool.map(lambda _: _shrink(http, data).headers["location"], range(10)))
    assert len(set(paths)) == 10
    assert len({http.get(path).content for path in paths}) == 1
    for folder in ("sources", "results"):
        files = [path for path in tinify_server.stored(folder) if path.name.startswith(md5(data))]
        assert len(files) == 1, folder


@pytest.mark.parametrize("body", [b"{", b'{"resize": {"width": -1}}'])
def test_commands_that_are_refused_tell_the_count_of_the_key_too(
    http: httpx.Client, output: str, body: bytes
) -> None:
    for method in ("GET", "POST"):
        response = http.request(method, output, content=body, headers=AUTH)
        _refused(response, 400, "Bad request")
        assert int(response.headers["compression-count"]) > 0


def test_commands_that_are_too_long_are_not_called_a_picture(
    http: httpx.Client, output: str
) -> None:
    commands = json.dumps({"resize": {"width": 5, "method": "x" * 200_000}})
    response = http.post(output, content=commands, headers=AUTH)
    assert "JSON" in _refused(response, 413, "Request entity too large")


def _as_tiff(data: bytes) -> bytes:
    buffer = io.BytesIO()
    opened(data).save(buffer, "TIFF")
    return buffer.getvalue()

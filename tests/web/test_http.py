"""HTTP as RFC 9110 and 9112 have it, where clients and proxies lean on it."""

from __future__ import annotations

import contextlib
import json
import re
import socket
from collections.abc import Iterator

import pytest

from tests.conftest import running_redis
from tests.pictures import md5, photograph, snapshot, unique
from tests.service import Client, until
from tests.web.alone import Web, answer, ended, web

HEAD_LIMIT = 32 * 1024
PICTURE = unique(photograph("rocket"))
BODY = (
    b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    + PICTURE
    + b"\r\n--x--\r\n"
)
POST = (
    b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n%b\r\n"
)
NEXT = b"GET /status/" + b"0" * 32 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
"""A request that is answered with 404."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web by itself."""
    folder = tmp_path_factory.mktemp("target")
    with running_redis(folder / "redis") as embedded, web(folder, embedded.url) as running:
        yield running
        assert running.troubles() == []


def _chunks(data: bytes, size: int = 50_000, extension: bytes = b"") -> bytes:
    parts = [data[start : start + size] for start in range(0, len(data), size)]
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"CHUNKED", b" \tchunked \t"])
@pytest.mark.parametrize(
    "end",
    [
        b"0\r\n\r\n",
        b"000;last\r\n\r\n",
        b"0\r\nX-Checksum: abc\r\nX-Empty:\r\n\r\n",
        b"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"0\r\nX-Long: " + b"x" * 4000 + b"\r\n\r\n",
    ],
)
@pytest.mark.parametrize("extension", [b"", b';signature="0a; b"', b" ; x=" + b"y" * 200])
def test_a_chunked_upload_is_taken_and_the_next_request_is_answered(
    target: Web, coding: bytes, end: bytes, extension: bytes
) -> None:
    head = POST % (b"Transfer-Encoding: " + coding + b"\r\n")
    with target.connection() as connection:
        connection.sendall(head + _chunks(BODY, extension=extension) + end + NEXT)
        status, _, body = answer(connection)
        assert status in (200, 202), body
        # All came at once: what was read beyond the first answer is the second.
        first, brace, rest = body.partition(b"}")
        while b"not_found" not in rest:
            rest += connection.recv(65536)
        assert rest.startswith(b"HTTP/1.1 404")
    assert json.loads(first + brace)["md5"] == md5(PICTURE)


def test_a_chunked_upload_is_taken_byte_by_byte(target: Web) -> None:
    body = BODY.replace(PICTURE, b"no picture")
    body = _chunks(body, 7, b";ext=1") + b"0;x\r\nA: b\r\n\r\n"
    with target.connection() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(POST % b"Transfer-Encoding: Chunked\r\n")
        for number in range(len(body)):
            connection.sendall(body[number : number + 1])
        status, _, answered = answer(connection)
        assert (status, json.loads(answered)["error"]) == (415, "not_an_image")
        connection.sendall(NEXT)
        assert answer(connection)[0] == 404


def _taken_so_far(target: Web) -> None:
    """Return when the server has read what was sent to it until now."""
    with target.connection() as connection:
        connection.sendall(NEXT)
        assert answer(connection)[0] == 404


@pytest.mark.parametrize("last", [1, 10, 20_000])
def test_an_upload_in_pieces_is_taken_whole_and_the_request_behind_it_is_answered(
    target: Web, last: int
) -> None:
    """What comes while the body is awaited is passed on by the callback that receives it."""
    with target.connection() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(POST % b"Content-Length: %d\r\nExpect: 100-continue\r\n" % len(BODY))
        assert answer(connection)[0] == 100
        first = BODY[:-last]
        for start in range(0, len(first), 30_000):
            connection.sendall(first[start : start + 30_000])
            _taken_so_far(target)
        connection.sendall(BODY[-last:] + NEXT.replace(b"Host", b"Connection: close\r\nHost"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", received)
    assert (statuses[0] in (b"200", b"202"), statuses[1:]) == (True, [b"404"])
    assert f'"md5":"{md5(PICTURE)}"'.encode() in received


def test_a_body_that_is_refused_in_its_middle_is_answered_and_its_rest_dropped(
    target: Web,
) -> None:
    broken = BODY[:50_000] + b"\r\n--x no boundary\r\n\r\n" + BODY[50_000:]
    with target.connection() as connection:
        connection.sendall(POST % b"Content-Length: %d\r\n" % (len(broken) + 5))
        connection.sendall(broken[:20_000])
        _taken_so_far(target)
        connection.sendall(broken[20_000:])
        status, _, answered = answer(connection)
        assert (status, json.loads(answered)["error"]) == (400, "invalid_form")
        connection.sendall(b"rest!")
        assert ended(connection)


def test_a_client_that_waits_for_100_gets_it_before_its_first_chunk(target: Web) -> None:
    with target.connection() as connection:
        connection.sendall(POST % b"Transfer-Encoding: Chunked\r\nExpect: 100-continue\r\n")
        assert answer(connection)[0] == 100
        connection.sendall(_chunks(BODY) + b"0\r\n\r\n")
        assert answer(connection)[0] in (200, 202)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: gzip, chunked\r\n", 501),
        (b"Transfer-Encoding: deflate, Chunked\r\n", 501),
        (b"Transfer-Encoding: gzip\r\n", 400),
        (b"Transfer-Encoding: identity\r\n", 400),
        (b"Transfer-Encoding: xchunked\r\n", 400),
        (b"Transfer-Encoding: chunked;q=1\r\n", 400),
        (b"Transfer-Encoding: chunked, chunked\r\n", 400),
        (b"Transfer-Encoding: chunked, identity\r\n", 400),
        (b"Transfer-Encoding:\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
        (b"Content-Length: 5\r\nTransfer-Encoding: Chunked\r\n", 400),
        (b"Content-Length: 5\r\nContent-Length: 5\r\n", 400),
        (b"Content-Length: 5, 5\r\n", 400),
        (b"Content-Length: +5\r\n", 400),
        (b"Content-Length: 0x5\r\n", 400),
        ("Content-Length: \u0665\r\n".encode(), 400),
        (b"Transfer-Encoding : chunked\r\n", 400),
        (b" Transfer-Encoding: chunked\r\n", 400),
        (b"Transfer-Encoding\x00: chunked\r\n", 400),
        (b"X: y\nTransfer-Encoding: chunked\r\n", 400),
        (b"X: y\rTransfer-Encoding: chunked\r\n", 400),
    ],
)
def test_a_request_whose_end_two_could_see_differently_is_refused(
    target: Web, head: bytes, status: int
) -> None:
    with target.connection() as connection:
        connection.sendall(POST % head + b"0\r\n\r\n" + NEXT)
        received, headers, body = answer(connection)
        assert received == status
        assert headers["connection"] == "close"
        assert json.loads(body)["error"] == ("not_implemented" if status == 501 else "bad_request")
        assert ended(connection)


def test_http_1_0_has_no_chunks(target: Web) -> None:
    head = (POST % b"Transfer-Encoding: chunked\r\n").replace(b"HTTP/1.1", b"HTTP/1.0")
    with target.connection() as connection:
        connection.sendall(head + b"0\r\n\r\n")
        assert answer(connection)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"+5\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b" 5\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"5;a\nb\r\nhello\r\n0\r\n\r\n",
        b"5 5\r\nhello\r\n0\r\n\r\n",
        b"f" * 17 + b"\r\n",
        b"5;" + b"x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
        b"0\r\nGET / HTTP/1.1\r\n\r\n",
        b"0\r\nX : y\r\n\r\n",
        b"0\r\nX: y\nZ: a\r\n\r\n",
    ],
)
def test_chunks_that_are_none_end_their_connection(target: Web, body: bytes) -> None:
    with target.connection() as connection:
        connection.sendall(POST % b"Transfer-Encoding: chunked\r\n" + body + NEXT)
        status, headers, answered = answer(connection)
        assert (status, json.loads(answered)["error"]) == (400, "bad_request")
        assert headers["connection"] == "close"
        assert ended(connection)


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\n--x\r\nXX0\r\n\r\n",  # no end of the chunk
        b"4\r\n\r\n\r\n" + b"\r\n0\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        (b"1;" + b"x" * 4000 + b"\r\n\r\r\n") * 100 + b"0\r\n\r\n",
    ],
)
def test_what_stands_between_chunks_is_bounded(target: Web, body: bytes) -> None:
    with target.connection() as connection:
        connection.sendall(POST % b"Transfer-Encoding: chunked\r\n" + body)
        status, headers, _ = answer(connection)
        assert (status, headers["connection"]) == (400, "close")


def test_chunks_of_a_request_that_is_not_read_are_passed_over(target: Web) -> None:
    with target.connection() as connection:
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
        connection.sendall(head + b"5;x\r\nhello\r\n0\r\nA: b\r\n\r\n")
        assert answer(connection)[0] == 200
        connection.sendall(NEXT)
        assert answer(connection)[0] == 404


def _head(size: int) -> bytes:
    """A request whose head is so large, without the empty line at its end."""
    start = b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: "
    return start + b"c" * (size - len(start)) + b"\r\n\r\n"


def test_a_head_of_32_kb_is_taken_and_a_larger_one_is_431(target: Web) -> None:
    with target.connection() as connection:
        for size in (HEAD_LIMIT - 1, 20_000):
            connection.sendall(_head(size))
            assert answer(connection)[0] == 200
    for size in (HEAD_LIMIT + 1, 100_000, 3_000_000):
        with target.connection() as connection:
            # As most clients do it: the whole request, and then the answer.
            connection.sendall(_head(size))
            status, headers, body = answer(connection)
        assert (status, headers["connection"]) == (431, "close"), size
        error = json.loads(body)
        assert error["error"] == "request_header_fields_too_large"
        assert str(HEAD_LIMIT) in error["message"]


def test_a_head_that_never_ends_is_cut_off(target: Web) -> None:
    with target.connection() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"x" * 65536)
    assert target.client.answers()


def test_head_is_answered_wherever_get_is_with_the_same_headers(client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    page = client.http.get("/docs").text
    paths = ["/", "/healthz", "/readyz", "/docs", "/docs/openapi.json", "/nothing", "/queue/x"]
    paths += [f"/{name}/{md5(data)}" for name in ("status", "download", "queue")]
    files = re.findall(r'(?:src|href)="(?:\./)?(?:/?docs/)?([^"/]+)"', page)
    assert len(files) > 3
    own = {"x-request-id", "connection"}
    for path in [*paths, *(f"/docs/{file}" for file in files)]:
        get, head = client.http.get(path), client.http.head(path)
        assert head.status_code == get.status_code, path
        assert head.content == b""
        told = {name: value for name, value in get.headers.items() if name not in own}
        assert {n: v for n, v in head.headers.items() if n not in own} == told, path
        assert int(head.headers["content-length"]) == len(get.content) > 0, path
    head = client.http.head("/metrics")  # its numbers are others each time
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 1000
    # A socket and an upload are nothing to be read.
    assert client.http.head("/ws").status_code == client.http.head("/upload").status_code == 405


def test_the_log_counts_no_bytes_of_an_answer_to_head(target: Web) -> None:
    response = target.client.http.head("/", headers={"X-Request-ID": "head-1"})
    assert response.status_code == 200
    (line,) = until(lambda: target.access(id="head-1"))
    assert (line["method"], line["status"], line["bytes_out"]) == ("HEAD", 200, 0)

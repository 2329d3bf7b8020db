"""Input that no well-meaning client sends: each piece is refused as such, and never an error of the
server.

More cases than CI's: HYPOTHESIS_CASES=5000 script/test tests/web/test_nonsense.py
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.sync.client import ClientConnection, connect

from tests.conftest import running_redis
from tests.pictures import photograph, unique
from tests.service import until
from tests.web.alone import Web, answer, ended, web

CASES = int(os.environ.get("HYPOTHESIS_CASES", "120"))

nonsense = settings(
    max_examples=CASES,
    deadline=None,
    derandomize="HYPOTHESIS_CASES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)

NUL_AND_TRICKS = [
    "\x00",
    "a\x00.jpg",
    "../../etc/passwd",
    "..\\..\\windows",
    "\u202egpj.exe",
    "\ufeff",
    "\ud800",
    "💥" * 300,
    "a" * 5000,
    "%00",
    "%2e%2e%2f",
    "\r\nX-Injected: yes",
    "e\u0301" * 200,
    "١٢٣",
    "-0",
    "1e9",
    "９９",
    "NaN",
    "null",
    "[]",
    "{}",
    "'; DROP TABLE",
]
TEXT = st.one_of(st.sampled_from(NUL_AND_TRICKS), st.text(max_size=60), st.just("webp"))
NAMES = st.one_of(
    st.sampled_from(
        ["picture", "format", "quality", "q", "width", "height", "fit", "gravity", "background"]
        + ["keep", "lossless", "effort", "data", "filename", "api_key"]
    ),
    TEXT,
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
PICTURE = unique(photograph("rocket"))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A web with nobody behind it; what went wrong on it is told at the end of each test."""
    folder = tmp_path_factory.mktemp("target")
    with (
        running_redis(folder / "redis") as embedded,
        web(folder, embedded.url, LIMITS__MAX_QUEUE=0) as running,
    ):
        yield running


@pytest.fixture(autouse=True)
def _no_trouble(target: Web) -> Iterator[None]:
    before = len(target.troubles())
    yield
    assert target.client.answers()
    assert target.troubles()[before:] == []


def _exchange(target: Web, data: bytes, *, whole: bool = False) -> int:
    """The status that bare bytes are answered with; 0 if the connection is closed.

    Args:
        whole: whether they are a whole request. After others the client says that no more will
            come, which the server takes as its having gone.
    """
    with target.connection() as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            if not whole:
                connection.shutdown(socket.SHUT_WR)
        try:
            return answer(connection)[0]
        except ConnectionError:
            return 0


def _clear(response: httpx.Response) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        error = response.json()
        assert error["error"]
        assert isinstance(error["message"], str)
        assert "Traceback" not in response.text


@nonsense
@given(
    fields=st.lists(st.tuples(NAMES, TEXT), max_size=8),
    filename=TEXT,
    data=st.one_of(st.binary(max_size=100), st.just(PICTURE)),
)
def test_fields_and_names_of_a_form(
    target: Web, fields: list[tuple[str, str]], filename: str, data: bytes
) -> None:
    def quoted(text: str) -> bytes:
        return text.encode("utf-8", "surrogatepass").replace(b'"', b"%22")

    body = b""
    for name, value in fields:
        body += b'--x\r\nContent-Disposition: form-data; name="' + quoted(name) + b'"\r\n\r\n'
        body += value.encode("utf-8", "surrogatepass") + b"\r\n"
    body += b'--x\r\nContent-Disposition: form-data; name="picture"; filename="'
    body += quoted(filename) + b'"\r\n\r\n' + data + b"\r\n--x--\r\n"
    _clear(
        target.client.http.post(
            "/upload", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
    )


@nonsense
@given(
    kind=st.one_of(
        st.sampled_from(
            [
                b"multipart/form-data",
                b"multipart/form-data; boundary=",
                b"multipart/form-data; boundary=x",
                b'multipart/form-data; boundary="x',
                b"multipart/form-data; boundary=" + b"x" * 300,
                b"multipart/form-data; boundary*=utf-8''x",
                b"multipart/form-data; boundary=\xff",
                b"text/plain",
            ]
        ),
    ),
    body=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(
                [b"--x", b"--x--", b"\r\n", b"\n", b": ", b"Content-Disposition", b"form-data; "]
                + [b'name="picture"', b'; filename="a"', b"\x00", b"\xff\xd8\xff", b"y" * 500]
            ),
            max_size=30,
        ).map(b"".join),
    ),
)
def test_bodies_that_are_no_form(target: Web, kind: bytes, body: bytes) -> None:
    _clear(target.client.http.post("/upload", content=body, headers={b"Content-Type": kind}))


@pytest.mark.parametrize(
    "part",
    [
        b"X-Many: 1\r\n" * 2000,
        b"X-Long: " + b"a" * 60_000 + b"\r\n",
        b"a" * 60_000 + b": 1\r\n",
        b'Content-Disposition: form-data; name="' + b"n" * 50_000 + b'"\r\n',
        b'Content-Disposition: form-data; name="picture"; filename="' + b"n" * 50_000 + b'"\r\n',
        b"Content-Disposition: form-data; name=\"picture\"; filename*=utf-9''%ff%fe\r\n",
        b'Content-Disposition: form-data; name*0="pic"; name*1="ture"; filename="a"\r\n',
        b"Content-Disposition: " + b";" * 50_000 + b"\r\n",
        b'Content-Disposition: form-data; name="' + b'\\"' * 20_000 + b'"\r\n',
    ],
)
def test_headers_of_a_part_are_bounded(target: Web, part: bytes) -> None:
    body = b"--x\r\n" + part + b"\r\nvalue\r\n--x--\r\n"
    response = target.client.http.post(
        "/upload", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert response.status_code in (400, 413, 415), response.text


def test_many_parts_and_large_fields_are_refused(target: Web) -> None:
    post = target.client.http.post
    many = {f"field{number}": "x" for number in range(100)}
    files = {"picture": ("a.jpg", PICTURE)}
    assert post("/upload", data=many, files=files).status_code == 400
    assert post("/upload", data={"format": "x" * 5000}, files=files).status_code == 400


@nonsense
@given(
    path=st.lists(
        st.one_of(
            st.sampled_from(
                ["status", "queue", "download", "upload", "ws", "..", ".", "", "%00", "%ff", "%"]
                + ["0" * 32, "é", "%2e%2e%2fetc", "a" * 3000, "<script>", "{md5}", ";a=b", "\\"]
            ),
            st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
        ),
        min_size=1,
        max_size=4,
    ),
    query=st.one_of(
        st.sampled_from(["", "?format=%00", "?format=webp&quality=9e9", "?quality=" + "9" * 5000]),
        st.sampled_from(["?q=%ff", "?width=-1", "?" + "a=b&" * 900, "?keep=%F0%9F", "?format"]),
        st.tuples(NAMES, TEXT).map(lambda pair: "?" + str(httpx.QueryParams([_encodable(pair)]))),
    ),
    method=st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "BREW", "\x01"]),
)
def test_paths_queries_and_methods(target: Web, path: list[str], query: str, method: str) -> None:
    line = f"{method} /{'/'.join(path)}{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status = _exchange(target, line.encode("utf-8", "surrogatepass"), whole=True)
    assert 200 <= status < 500


def _encodable(pair: tuple[str, str]) -> tuple[str, str]:
    name, value = (text.encode("utf-8", "replace").decode() for text in pair)
    return name, value


@nonsense
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.sampled_from(
                [b"GET ", b"POST ", b"/upload", b"/", b"*", b" HTTP/1.1", b" HTTP/9.9", b"\r\n"]
                + [b"\r\n\r\n", b"Host: x\r\n", b"Content-Length: 5\r\n", b"Content-Length: -5\r\n"]
                + [b"Content-Length: \xb2\r\n", b"Transfer-Encoding: chunked\r\n", b"zz\r\n"]
                + [b"Content-Length: " + b"9" * 30 + b"\r\n", b"0\r\n", b"5;x=y\r\nhello\r\n"]
                + [b"Expect: 100-continue\r\n", b"Expect: x\r\n", b"Upgrade: websocket\r\n"]
                + [b"Connection: Upgrade\r\n", b"\x00", b"X" * 9000, b"no colon\r\n", b": \r\n"]
                + [b"Content-Type: multipart/form-data; boundary=x\r\n", b"Range: bytes=9-1\r\n"]
                + [b"X-Forwarded-For: \xff\r\n", b"Authorization: Basic \xff\r\n", b"GET /ws"]
            ),
            max_size=14,
        ).map(b"".join),
    )
)
def test_bytes_that_are_no_request(target: Web, data: bytes) -> None:
    assert _exchange(target, data) < 500


DATA = st.one_of(
    st.sampled_from(
        [
            base64.b64encode(PICTURE).decode(),
            "AAAA",
            "AAA",
            "====",
            "AA==AA==",
            "\x00",
            "é",
            "A" * 10_001,
            " AAAA",
            "AA\nAA",
        ]
    ),
    JSON,
)


def _answers(ws: ClientConnection) -> list[dict[str, Any]]:
    """All until a message that is known to be an error: what came before has been answered."""
    ws.send('{"format": "marker"}')
    received = []
    while True:
        received.append(json.loads(ws.recv(timeout=60)))
        if received[-1] == {"status": "error", "message": "unsupported_format"}:
            return received[:-1]


@nonsense
@given(
    messages=st.lists(
        st.one_of(
            st.fixed_dictionaries(
                {},
                optional={
                    "data": DATA,
                    "filename": st.one_of(TEXT, JSON),
                    "format": st.one_of(st.sampled_from(["webp", "jpg", "same"]), JSON),
                    "quality": JSON,
                    "width": JSON,
                    "height": JSON,
                    "fit": JSON,
                    "keep": JSON,
                    "background": JSON,
                    "q": JSON,
                    "lossless": JSON,
                    "api_key": JSON,
                },
            ).map(json.dumps),
            JSON.map(json.dumps),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
            st.binary(max_size=50),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_messages_of_a_socket(target: Web, messages: list[str | bytes]) -> None:
    with connect(target.ws_url, max_size=None) as ws:
        for message in messages:
            ws.send(message)
        for received in _answers(ws):
            assert received["status"] in ("queued", "processing", "done", "error", "authorized")
            assert received.get("message") != "internal_error", messages


@pytest.mark.parametrize(
    "message",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"format": ' + "[" * 900 + "]" * 900 + "}",
        '{"keep": ' + "[" * 900 + "]" * 900 + ', "data": "AAAA"}',
        '{"width": ' + '{"a":' * 900 + "1" + "}" * 900 + "}",
        '{"quality": ' + "9" * 100_000 + "}",
        '{"data": "' + "\\u0000" * 1000 + '"}',
        '{"data": "\ud83d"}'.encode("utf-16-le", "surrogatepass"),
        b"\xef\xbb\xbf{}",
        b"\x00" * 1000,
        "",
        b"",
    ],
)
def test_deep_and_huge_messages_are_errors_of_the_client(target: Web, message: str | bytes) -> None:
    with connect(target.ws_url) as ws:
        ws.send(message)
        error = json.loads(ws.recv(timeout=60))
        assert error["status"] == "error"
        assert error["message"] in (
            "invalid_json",
            "decode_error",
            "unsupported_format",
            "invalid_option",
            "not_an_image",
        )
        ws.send("still here?")
        assert json.loads(ws.recv(timeout=60))["message"] == "invalid_json"


@nonsense
@given(
    data=st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [
                    b"\x81\x80\x00\x00\x00\x00",  # an empty text
                    b"\x81\x82\x00\x00\x00\x00\xff\xfe",  # no UTF-8
                    b"\x81\x05hello",  # not masked
                    b"\x83\x80\x00\x00\x00\x00",  # no such opcode
                    b"\xf1\x80\x00\x00\x00\x00",  # reserved bits
                    b"\x80\x80\x00\x00\x00\x00",  # a fragment of nothing
                    b"\x01\x82\x00\x00\x00\x00\xc3\xa9",  # a fragment that goes on
                    b"\x01\x81\x00\x00\x00\x00\xc3",  # half a character
                    b"\x80\x81\x00\x00\x00\x00\x41",
                    b"\x89\xfe\x00\x80" + bytes(4 + 128),  # a ping that is too long
                    b"\x89\x80\x00\x00\x00\x00",
                    b"\x8a\x80\x00\x00\x00\x00",
                    b"\x88\x81\x00\x00\x00\x00\x01",  # half a close code
                    b"\x88\x82\x00\x00\x00\x00\x00\x00",
                    b"\x81\xff" + b"\xff" * 8 + bytes(4),  # 2^64 bytes
                ]
            ),
        ),
        min_size=1,
        max_size=6,
    ).map(b"".join)
)
def test_bytes_that_are_no_frames(target: Web, data: bytes) -> None:
    with target.connection() as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert answer(connection)[0] == 101
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


def test_text_that_is_no_utf8_closes_its_socket(target: Web) -> None:
    with target.connection() as connection:
        connection.sendall(
            b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"X-Request-ID: no-utf8\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert answer(connection)[0] == 101
        connection.sendall(b"\x81\x82\x00\x00\x00\x00\xff\xfe")
        assert ended(connection)
    assert until(lambda: target.access(id="no-utf8", outcome="no_utf8"))

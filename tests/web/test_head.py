"""The head of an answer, byte for byte."""

from __future__ import annotations

import pytest
from sanic import HTTPResponse
from sanic.headers import format_http1_response

from app.web.serve.head import head_of


@pytest.mark.parametrize("status", [200, 206, 304, 404, 599])
def test_a_head_is_the_one_that_sanic_would_send(status: int) -> None:
    response = HTTPResponse(
        status=status,
        headers={
            "ETag": '"a"',
            "X-Split": "a\r\nSet-Cookie: b\0",
            "X-Bad\r\nName": "c",
            "Content-Disposition": "inline; filename=\udcff→",
            "Content-Length": "0",
        },
    )
    response.headers.add("Vary", "Origin")
    response.headers.add("vary", "Accept")
    for _ in range(2):  # made, and as it was kept
        expected = format_http1_response(status, response.processed_headers)
        assert head_of(status, response.headers.items()) == expected
    assert head_of(status, [("Content-Length", 5)]).endswith(b"\r\nContent-Length: 5\r\n\r\n")

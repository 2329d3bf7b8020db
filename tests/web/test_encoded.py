"""Pictures in base64, as programs and browsers write it."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import DecodeError, SizeExceeded
from app.web.ws.encoded import decode_data

WRITERS: dict[str, Callable[[bytes], str]] = {
    "plain": lambda data: base64.b64encode(data).decode(),
    "unpadded": lambda data: base64.b64encode(data).decode().rstrip("="),
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "URL-safe unpadded": lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    "MIME": lambda data: base64.encodebytes(data).decode().replace("\n", "\r\n"),
    "blanks": lambda data: " \t".join(base64.b64encode(data).decode()) + "\n",
    "data URL": lambda data: "data:image/png;base64," + base64.b64encode(data).decode(),
    "odd data URL": lambda data: (
        " DATA:image/png;charset=x;BASE64," + base64.b64encode(data).decode()
    ),
    "escaped data URL": lambda data: (
        "data:;base64,"
        + base64.b64encode(data)
        .decode()
        .replace("+", "%2B")
        .replace("/", "%2f")
        .replace("=", "%3D")
    ),
}


@pytest.mark.parametrize("writer", WRITERS)
@given(data=st.binary(min_size=1, max_size=60))
def test_each_way_to_write_it_is_read(writer: str, data: bytes) -> None:
    text = WRITERS[writer](data)
    assert decode_data(text, len(data)) == data
    with pytest.raises(SizeExceeded):
        decode_data(text, len(data) - 1)


@pytest.mark.parametrize(
    "text",
    [
        "%%%",
        "A",
        "AAAAA",
        "é",
        "",
        " ",
        "====",
        "AA=",
        "AAA==",
        "AAAA=",
        "AA==AA==",
        "A!AA",
        "\0AAA",
        "data:,hello",
        "data:image/png,%89PNG",
        "data:image/png;base64",
        "AA%3D%3D",
        "data:;base64,",
    ],
)
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        decode_data(text, 100)


@pytest.mark.parametrize("text", [" ", "=", "A", "-", "\n=", "data:", "%0A", "data:;base64,%0a"])
def test_hostile_texts_take_little_time(text: str) -> None:
    whole = text * (27_000_000 // len(text))
    began = time.process_time()
    with pytest.raises((DecodeError, SizeExceeded)):
        decode_data(whole, 10 * 1024**2)
    assert time.process_time() - began < 5

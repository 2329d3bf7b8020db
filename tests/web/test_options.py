"""Options over HTTP and WebSocket: each set is a job of its own, beside the kept API."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from tests.pictures import as_format, md5, opened, photograph, snapshot, unique
from tests.service import Client


def test_each_set_of_options_is_a_result_of_its_own_named_in_status(client: Client) -> None:
    picture = snapshot()
    client.upload(picture, "webp")
    answer = client.upload(picture, "webp", width="100", effort="fast")
    assert answer.status_code == 202
    options = {"width": 100, "effort": "fast"}
    assert answer.json()["options"] == options
    name = md5(picture)
    jobs = client.wait(name)
    assert [job.get("options") for job in jobs] == [None, options]
    assert opened(client.download(name, format="webp").content).size == (120, 80)
    small = client.download(name, format="webp", width=100, effort="fast")
    assert opened(small.content).size == (100, 67)
    assert "immutable" in small.headers["cache-control"]


def test_a_client_that_knows_no_options_gets_the_plain_result_however_old(client: Client) -> None:
    picture = snapshot()
    client.upload(picture, "webp")
    name = md5(picture)
    client.wait(name)
    client.upload(picture, "webp", width="50")
    client.wait(name)
    assert opened(client.download(name).content).size == (120, 80)
    assert client.status(name)[0] == {
        "md5": name,
        "format": "webp",
        "quality": 0,
        "status": "done",
    }


def test_a_picture_with_options_alone_is_found_without_naming_them(client: Client) -> None:
    picture = snapshot()
    client.upload(picture, "webp", width="50")
    name = md5(picture)
    client.wait(name)
    found = client.download(name)
    assert opened(found.content).size == (50, 33)
    assert found.headers["cache-control"] == "no-cache"
    assert client.download(name, format="webp", width=51).status_code == 404


def test_the_same_options_written_otherwise_are_one_job(client: Client) -> None:
    picture = snapshot()
    written = (
        {"background": "#FFF", "keep": "date,icc", "effort": "balanced", "fit": "inside"},
        {"background": "ffffff", "keep": "icc, date", "effort": "", "width": " 99 "},
    )
    for fields in written:
        assert client.upload(picture, "jpg", **{"width": "99", **fields}).status_code in (200, 202)
    assert len(client.wait(md5(picture))) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_same_keeps_the_format_of_the_picture(client: Client, kind: str) -> None:
    picture = unique(as_format("chelsea", kind))
    format = kind.lower().replace("jpeg", "jpg")
    answer = client.upload(picture, " Same ")
    assert answer.json()["format"] == format
    client.wait(md5(picture))
    result = client.download(md5(picture))
    assert opened(result.content).format == kind
    assert len(result.content) <= len(picture)


def test_same_is_400_where_the_format_cannot_be_written(client: Client) -> None:
    answer = client.upload(unique(as_format("chelsea", "TIFF")), "same")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_format"
    assert "image/tiff" in answer.json()["message"]


@pytest.mark.parametrize("format", ["webp", "png", "avif", "jpg"])
def test_q_is_the_quality_of_any_lossy_format(client: Client, format: str) -> None:
    picture = unique(photograph("chelsea"))
    for q in ("30", "90"):
        assert client.upload(picture, format, q=q).json()["quality"] == int(q)
    name = md5(picture)
    client.wait(name)
    sizes = [len(client.download(name, format=format, q=q).content) for q in (30, 90)]
    assert 0 < sizes[0] < sizes[1]


def test_a_format_without_quality_is_found_by_the_q_it_was_requested_with(client: Client) -> None:
    picture = snapshot()
    assert client.upload(picture, "gif", q="70", width="60").json()["quality"] == 0
    name = md5(picture)
    client.wait(name)
    assert client.download(name, format="gif", q=70, width=60).status_code == 200


def test_a_result_has_no_more_than_max_bytes_or_the_reason_says_how_small_it_gets(
    client: Client, ws: ClientConnection
) -> None:
    picture = unique(photograph("coffee"))
    answer = client.upload(picture, "jpg", max_bytes="9K")
    assert answer.json()["options"] == {"max_bytes": 9000}
    ws.send(
        json.dumps({"format": "jpg", "data": base64.b64encode(picture).decode(), "max_bytes": 9000})
    )
    name = md5(picture)
    (job,) = client.wait(name)
    assert job["status"] == "done"
    for most in ("9000", "9 kB", "0.009M"):
        assert 8000 < len(client.download(name, format="jpg", max_bytes=most).content) <= 9000
    exact = {"width": "300", "height": "200", "fit": "fill", "max_bytes": "500"}
    client.upload(picture, "jpg", **exact)
    client.wait(name)
    jobs = client.http.get(f"/status/{name}", params={"details": "true"}).json()
    (failed,) = (job for job in jobs if job["status"] == "failed")
    assert failed["error"]["code"] == "too_many_bytes"
    assert "more than the 500 of max_bytes" in failed["error"]["message"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_bytes": "1 GB"}, "such as 200K or 1.5M (it is '1 GB')"),
        ({"width": "0"}, "width"),
        ({"width": "99999"}, "16383"),
        ({"height": "ten"}, "'ten'"),
        ({"q": "101"}, "q should be"),
        ({"lossless": "maybe"}, "lossless"),
        ({"fit": "cover", "width": "10"}, "needs a width and a height"),
        ({"gravity": "centre", "width": "10"}, "fit=cover"),
        ({"background": "red"}, "'red'"),
        ({"effort": "most"}, "fast, balanced, small"),
        ({"keep": "everything"}, "copyright"),
        ({"lossless": "true", "format": "jpg"}, "jpg cannot be lossless"),
        ({"lossless": "true", "q": "80"}, "exclude"),
        ({"width": "16000", "height": "16000", "fit": "fill"}, "256000000 pixels"),
    ],
)
def test_an_option_that_makes_no_sense_is_400_and_says_what(
    client: Client, fields: dict[str, str], told: str
) -> None:
    answer = client.upload(photograph("rocket"), **fields)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_option"
    assert told in answer.json()["message"]


def test_a_socket_takes_options_and_names_them(ws: ClientConnection) -> None:
    data = base64.b64encode(snapshot()).decode()
    ws.send(json.dumps({"format": "png", "data": data, "width": 20, "keep": ["date"]}))
    done: dict[str, Any] = {}
    while done.get("status") != "done":
        done = json.loads(ws.recv(timeout=60))
        assert done["options"] == {"width": 20, "keep": ["date"]}
    assert opened(base64.b64decode(done["file"])).size == (20, 13)


def test_a_socket_is_told_what_is_wrong_with_an_option(ws: ClientConnection) -> None:
    ws.send(json.dumps({"format": "png", "data": "AAAA", "width": {"a": 1}}))
    answer = json.loads(ws.recv(timeout=60))
    assert answer["message"] == "invalid_option"
    assert "width" in answer["detail"]


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG2000"])
def test_what_the_format_does_not_hold_is_refused_at_the_upload(
    client: Client, ws: ClientConnection, kind: str
) -> None:
    picture = _wide(kind)
    answer = client.upload(picture)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_option"
    reason = answer.json()["message"]
    assert "webp holds 16383 pixels a side" in reason
    assert "20000 × 8" in reason
    assert "one of png, jpg, gif" in reason
    ws.send(json.dumps({"data": base64.b64encode(picture).decode()}))
    told = json.loads(ws.recv(30))
    assert told == {
        "status": "error",
        "message": "invalid_option",
        "md5": md5(picture),
        "detail": reason,
    }


def test_what_the_format_does_not_hold_is_taken_where_it_is_made_smaller(client: Client) -> None:
    picture = _wide()
    assert client.upload(picture, "webp", width="10000", height="10000").status_code == 202
    client.wait(md5(picture))
    result = client.download(md5(picture), width=10000, height=10000)
    assert opened(result.content).size == (10000, 4)


def _wide(kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    opened(photograph("rocket")).convert("RGB").resize((20000, 8)).save(buffer, kind)
    return unique(buffer.getvalue())

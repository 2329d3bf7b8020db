"""`details`: all that is known of a job, for clients that ask for it."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin

import pytest
from PIL import Image
from websockets.sync.client import ClientConnection

from tests.pictures import encoded, md5, opened, photograph, snapshot, unique
from tests.service import Client, Service
from tests.web.contract import Contract
from tests.web.sockets import answers, message

SIZES = {"original_width": 120, "original_height": 80}


def details(client: Client, picture: str, flag: str = "true") -> list[dict[str, Any]]:
    response = client.http.get(f"/status/{picture}", params={"details": flag})
    assert response.status_code == 200, response.text
    return list(response.json())


def enormous() -> bytes:
    """A PNG whose header promises 20,000 × 20,000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b""))
    return unique(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_a_done_job_tells_its_sizes_its_time_and_where_its_result_is(
    contract: Contract, client: Client
) -> None:
    data, before = snapshot(), datetime.now(UTC)
    client.upload(data, "webp", filename="Saturn V.jpg", width="100")
    client.wait(md5(data))
    response = client.http.get(f"/status/{md5(data)}?details=true")
    contract.check(response)
    (job,) = response.json()
    result = client.http.get(urljoin(str(response.request.url), job.pop("download_url")))
    assert opened(result.content).size == (100, 67)
    finished = datetime.fromisoformat(job.pop("finished_at"))
    assert before - timedelta(seconds=1) < finished < datetime.now(UTC) + timedelta(seconds=1)
    assert 0 < job.pop("milliseconds") < 60_000
    saved = len(data) - len(result.content)
    assert job == {
        **{"md5": md5(data), "format": "webp", "quality": 0, "options": {"width": 100}},
        "status": "done",
        "filename": "Saturn V.jpg",
        "original_type": "image/jpeg",
        "original_bytes": len(data),
        **SIZES,
        "result_bytes": len(result.content),
        "result_width": 100,
        "result_height": 67,
        "saved_bytes": saved,
        "saved_percent": round(100 * saved / len(data), 1),
    }


def test_a_border_is_cut_off_and_a_placeholder_is_told(
    contract: Contract, client: Client, ws: ClientConnection
) -> None:
    image = Image.new("RGB", (400, 300), (255, 255, 255))
    image.paste(opened(photograph("rocket")).crop((100, 100, 300, 200)), (150, 120))
    data = encoded(image, "PNG")
    asked = {"trim": 10, "sharpen": 0.8, "width": 100, "placeholder": "blurhash"}
    client.upload(data, **{name: str(value) for name, value in asked.items()})
    client.wait(md5(data))
    response = client.http.get(f"/status/{md5(data)}?details=true")
    contract.check(response)
    (job,) = response.json()
    assert job["options"] == asked
    assert (job["original_width"], job["original_height"]) == (400, 300)
    assert (job["result_width"], job["result_height"]) == (100, 50)
    assert len(job["placeholder"]) == 28
    ws.send(message(data, "webp", details=True, **{**asked, "placeholder": "color"}))
    *_, done = answers(ws, 1)
    contract.validate(done, contract.component("SocketDone"))
    assert done["options"]["placeholder"] == "color"
    assert re.fullmatch("#[0-9a-f]{6}", done["placeholder"])
    assert opened(base64.b64decode(done["file"])).size == (100, 50)
    told = done["placeholder"]
    ws.send(message(data, "webp", **{**asked, "placeholder": "color"}))
    *_, done = answers(ws, 1)
    contract.validate(done, contract.component("SocketDone"))
    assert done["placeholder"] == told, "a page that asks for no details needs it too"
    ws.send(json.dumps({"follow": md5(data), **asked}))
    followed = json.loads(ws.recv(timeout=30))
    contract.validate(followed, contract.component("SocketFollowed"))
    assert followed["placeholder"] == job["placeholder"]
    result = client.http.get(urljoin(str(response.request.url), job["download_url"]))
    assert opened(result.content).size == (100, 50)


def test_without_details_the_answer_is_the_kept_one(client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    kept = f'[{{"md5":"{md5(data)}","format":"webp","quality":0,"status":"done"}}]'
    for query in ("", "?details=", "?details=false", "?details=0", "?details=No", "?detail=1"):
        assert client.http.get(f"/status/{md5(data)}{query}").text == kept
    for flag in ("true", "1", "yes", "TRUE", " Yes "):
        assert details(client, md5(data), flag)[0]["filename"] == "cat.jpg"


def test_a_flag_that_makes_no_sense_is_400(contract: Contract, client: Client) -> None:
    response = client.http.get(f"/status/{'0' * 32}?details=maybe")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_option")
    assert "'maybe'" in response.json()["message"]
    contract.check(response)


@pytest.mark.parametrize(
    "fields",
    [
        {"format": "webp"},
        {"format": "jpg", "quality": "70"},
        {"format": "jpg", "q": "60", "background": "#0a0"},
        {"format": "avif", "q": "40"},
        {"format": "png", "lossless": "true"},
        {"format": "webp", "width": "80", "height": "50", "fit": "cover", "gravity": "attention"},
        {"format": "jpg", "keep": "copyright,icc,date", "effort": "fast"},
    ],
)
def test_the_address_gets_exactly_this_result(client: Client, fields: dict[str, str]) -> None:
    data = snapshot()
    for others in ({"format": "webp", "width": "33"}, {"format": "jpg", "q": "11"}, fields):
        client.upload(data, **others)
        client.wait(md5(data))
    for slash in ("", "/"):  # of which a relative address depends
        base = f"{client.http.base_url}/status/{md5(data)}{slash}"
        response = client.http.get(base, params={"details": "yes"})
        job = max(response.json(), key=lambda job: str(job["finished_at"]))
        result = client.http.get(urljoin(base, job["download_url"]))
        assert result.status_code == 200
        assert "immutable" in result.headers["cache-control"]  # no other could ever be meant
        assert f"{md5(data)}-{job['format']}-{job['quality']}" in result.headers["etag"]
        assert len(result.content) == job["result_bytes"]
        name = next((name for name in fields if name not in ("format", "quality", "q")), None)
        assert name is None or name in result.headers["etag"]


def test_a_plain_address_never_leads_to_another_result(server: Service, client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    (plain,) = details(client, md5(data))
    client.upload(data, width="30")
    client.wait(md5(data))
    for path in server.stored("results"):
        if md5(data) in path.name and "width" not in path.name:
            path.unlink()
    address = urljoin(f"{client.http.base_url}/status/x", plain["download_url"])
    assert client.http.get(address).status_code == 404


BROKEN = {
    "truncated": (encoded(opened(snapshot()), "AVIF")[:1500], "processing_failed", "cannot be"),
    "unreadable": (photograph("astronaut")[:200], "processing_failed", "cannot be read"),
    "enormous": (enormous(), "too_many_pixels", "20000 × 20000 is 400000000 pixels"),
    "not a BMP": (b"BM" + b"\0" * 100, "processing_failed", "cannot be read"),
    "not an ICO": (b"\0\0\1\0" + b"\7" * 100, "processing_failed", "cannot be"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_failed_job_says_why_and_nothing_of_the_inside(
    contract: Contract, client: Client, ws: ClientConnection, kind: str
) -> None:
    data, code, words = BROKEN[kind]
    data = unique(data)
    assert client.upload(data).status_code == 202
    client.wait(md5(data))
    response = client.http.get(f"/status/{md5(data)}?details=1")
    contract.check(response)
    (job,) = response.json()
    assert job["status"] == "failed"
    assert job["error"]["code"] == code
    assert words in job["error"]["message"]
    assert not [sign for sign in ("0x", "<_io", "Traceback", "/tmp", "\n") if sign in response.text]
    assert job["original_bytes"] == len(data)
    assert "finished_at" in job
    assert not job.keys() & {"result_bytes", "saved_bytes", "milliseconds", "download_url", "place"}
    if kind == "truncated":
        assert SIZES.items() <= job.items()
    # The same over a socket, where the code of the message is the kept one.
    ws.send(message(data, "png", details=True))
    error = answers(ws, 1)[-1]
    contract.validate(error, contract.component("SocketError"))
    assert (error["status"], error["message"]) == ("error", "processing_failed")
    assert error["error"] == job["error"]
    assert (error["md5"], error["format"]) == (md5(data), "png")
    ws.send(message(data, "png"))
    assert answers(ws, 1)[-1] == {
        "status": "error",
        "message": "processing_failed",
        "md5": md5(data),
    }


def test_a_picture_that_was_cut_off_is_shown_or_refused_as_it_is_asked_for(
    client: Client, ws: ClientConnection
) -> None:
    data = snapshot()
    data = data[: len(data) * 3 // 4]
    client.upload(data)
    client.upload(data, damaged="refuse")
    client.wait(md5(data))
    shown, refused = details(client, md5(data))
    assert (shown["status"], refused["status"]) == ("done", "failed")
    assert refused["options"] == {"damaged": "refuse"}
    assert refused["error"]["code"] == "damaged"
    assert refused["error"]["message"].startswith("the picture is damaged: ")
    ws.send(message(data, "webp", damaged="refuse", details=True))
    error = answers(ws, 1)[-1]
    assert (error["status"], error["message"]) == ("error", "processing_failed")
    assert error["error"]["code"] == "damaged"


def test_a_failed_picture_sent_again_has_no_error_while_it_waits(
    server: Service, client: Client
) -> None:
    data = unique(photograph("astronaut")[:200])
    client.upload(data)
    client.wait(md5(data))
    assert "error" in details(client, md5(data))[0]
    decoders = server.freeze(3)
    client.upload(data)
    (job,) = details(client, md5(data))
    assert job["status"] in ("queued", "processing")
    assert not job.keys() & {"error", "finished_at"}
    for decoder in decoders:
        decoder.resume()
    client.wait(md5(data))
    assert "error" in details(client, md5(data))[0]


def test_each_step_of_a_socket_has_the_details(contract: Contract, ws: ClientConnection) -> None:
    data = snapshot()
    ws.send(message(data, "webp", details="yes", width=50))
    queued, processing, done = answers(ws, 1)
    for step in (queued, processing, done):
        assert step["filename"] == "cat.jpg"
        assert (step["original_type"], step["original_bytes"]) == ("image/jpeg", len(data))
        component = "SocketDone" if step is done else "SocketStep"
        contract.validate(step, contract.component(component))
    file = base64.b64decode(done["file"])
    assert done["result_bytes"] == len(file)
    assert SIZES.items() <= done.items()
    assert (done["result_width"], done["result_height"]) == opened(file).size == (50, 33)
    assert done["download_url"] == f"download/{md5(data)}?format=webp&width=50"
    ws.send(message(data, "webp", width=50))
    (kept,) = answers(ws, 1)
    assert kept.keys() == {"status", "md5", "format", "quality", "options", "file"}


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"data": "%%%"}, "decode_error", "base64"),
        ({"format": "pdf"}, "unsupported_format", "choose one of"),
        ({"width": 0}, "invalid_option", "from 1 to 16383"),
        ({"data": base64.b64encode(b"plain text").decode()}, "not_an_image", "not a picture"),
    ],
)
def test_a_refused_message_says_why_if_it_asked_for_details(
    contract: Contract, ws: ClientConnection, fields: dict[str, Any], code: str, words: str
) -> None:
    order = {**json.loads(message(photograph("rocket"))), **fields}
    ws.send(json.dumps(order))
    ws.send(json.dumps({**order, "details": True}))
    first, second = sorted(answers(ws, 2), key=len)
    assert "error" not in first
    error = second.pop("error")
    assert first == second
    assert error["code"] == first["message"] == code
    assert words in error["message"]
    contract.validate({**second, "error": error}, contract.component("SocketError"))


@pytest.mark.parametrize("flag", ["maybe", 7, [], {}])
def test_a_flag_that_makes_no_sense_is_an_error_of_the_socket(
    ws: ClientConnection, flag: Any
) -> None:
    ws.send(message(snapshot(), details=flag))
    (error,) = answers(ws, 1)
    assert (error["message"], "error" in error) == ("invalid_option", False)
    assert "details should be" in error["detail"]


def test_those_that_wait_know_their_places(server: Service, client: Client) -> None:
    decoders = server.freeze(3)
    pictures = [snapshot() for _ in range(8)]
    for data in pictures:
        client.upload(data)
    waiting = [job for data in pictures for job in details(client, md5(data))]
    places = [job["place"] for job in waiting if job["status"] == "queued" and "place" in job]
    assert places == list(range(1, len(places) + 1))
    assert len(places) >= 5
    for decoder in decoders:
        decoder.resume()
    for data in pictures:
        client.wait(md5(data))
        assert "place" not in details(client, md5(data))[0]

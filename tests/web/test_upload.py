"""POST /upload"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from tests.fleet import Fleet
from tests.pictures import as_format, md5, opened, photograph, snapshot, unique
from tests.service import Client, Service, until

LIMIT = 10 * 1024**2
QUEUED = "Your image is queued for processing"
DONE = "Image already processed for this format/quality"


def test_a_new_picture_is_queued_and_named_by_its_md5(client: Client) -> None:
    data = snapshot()
    response = client.upload(data, "webp")
    assert response.status_code == 202
    assert response.json() == {"message": QUEUED, "md5": md5(data), "format": "webp", "quality": 0}


def test_a_picture_that_is_done_is_not_converted_again(client: Client) -> None:
    data = snapshot()
    client.upload(data, "jpg", quality="70")
    client.wait(md5(data))
    first = client.download(md5(data)).headers["etag"]
    response = client.upload(data, "jpg", quality="70")
    assert response.status_code == 200
    assert response.json() == {"message": DONE, "md5": md5(data), "format": "jpg", "quality": 70}
    assert client.download(md5(data)).headers["etag"] == first


@pytest.mark.parametrize(
    ("format", "size_and_kind"), [("webp", "WEBP"), ("png", "PNG"), ("jpg", "JPEG")]
)
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_a_photograph_comes_back_smaller_and_the_same_size(
    client: Client, name: str, format: str, size_and_kind: str
) -> None:
    data = unique(photograph(name))
    client.upload(data, format)
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]
    result = client.download(md5(data), format=format).content
    assert len(result) < len(data) / 2
    image = opened(result)
    assert image.format == size_and_kind
    assert image.size == opened(data).size


@pytest.mark.parametrize(
    ("given", "format"),
    [("JPEG", "jpg"), (" Png ", "png"), ("WebP", "webp"), ("", "webp"), (None, "webp")],
)
def test_the_format_is_taken_in_any_case_with_blanks_and_is_webp_by_default(
    client: Client, given: str | None, format: str
) -> None:
    response = client.upload(snapshot(), given)
    assert (response.status_code, response.json()["format"]) == (202, format)


@pytest.mark.parametrize(
    ("given", "quality"),
    [
        ("1", 1),
        ("100", 100),
        ("0", 80),
        ("101", 80),
        ("-5", 80),
        ("nine", 80),
        ("70.5", 80),
        ("", 80),
        (" 55 ", 55),
        ("9" * 900, 80),
        ("٧٠", 80),
    ],
)
def test_a_quality_that_makes_no_sense_counts_as_80(
    client: Client, given: str, quality: int
) -> None:
    response = client.upload(snapshot(), "jpg", quality=given)
    assert (response.status_code, response.json()["quality"]) == (202, quality)


@pytest.mark.parametrize("format", ["webp", "png"])
def test_quality_is_0_where_the_format_has_none(client: Client, format: str) -> None:
    response = client.upload(snapshot(), format, quality="33")
    assert response.json()["quality"] == 0


def test_each_quality_is_a_result_of_its_own(client: Client) -> None:
    data = snapshot()
    client.upload(data, "jpg", quality="30")
    client.upload(data, "jpg", quality="90")
    assert {(j["quality"], j["status"]) for j in client.wait(md5(data))} == {
        (30, "done"),
        (90, "done"),
    }
    small = client.download(md5(data), format="jpg", quality=30).content
    large = client.download(md5(data), format="jpg", quality=90).content
    assert len(small) < len(large) / 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_every_input_format_is_read(client: Client, kind: str) -> None:
    data = unique(as_format("coffee", kind))
    client.upload(data, "jpg", filename=f"coffee.{kind.lower()}")
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]
    assert opened(client.download(md5(data)).content).size == (600, 400)


def _error(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert set(body) == {"error", "message"}
    assert body["message"]
    return response.status_code, body["error"]


def test_an_unknown_format_is_400(client: Client) -> None:
    response = client.upload(snapshot(), "tiff")
    assert _error(response) == (400, "unsupported_format")


def test_no_picture_is_400(client: Client) -> None:
    response = client.http.post("/upload", files={"image": ("a.jpg", photograph("rocket"))})
    assert _error(response) == (400, "invalid_form")
    response = client.http.post("/upload", data={"picture": "text"}, files={"x": b""})
    assert _error(response) == (400, "invalid_form")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"garbage"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=" + "b" * 300, b"--" + b"b" * 300),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\nhalf',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="format"\r\n\r\n'
            + b"x" * 2000
            + b"\r\n--b--\r\n",
        ),
        ("multipart/form-data; boundary=b", b"--b\r\nA: 1\r\n\r\n\r\n" * 50 + b"--b--\r\n"),
    ],
)
def test_what_is_not_a_multipart_form_is_400(
    client: Client, content_type: str, body: bytes
) -> None:
    response = client.http.post("/upload", content=body, headers={"content-type": content_type})
    assert _error(response) == (400, "invalid_form")


@pytest.mark.parametrize("data", [b"plain text", b"", b"%PDF-1.7", b"<svg/>", b"\0" * 5000])
def test_what_is_no_picture_is_415(client: Client, data: bytes) -> None:
    assert _error(client.upload(data)) == (415, "not_an_image")
    assert client.status(md5(data)) == []


def test_a_kind_that_cannot_be_read_is_415_and_named(client: Client) -> None:
    data = b"8BPS\0\1" + bytes(100)
    response = client.upload(data)
    assert _error(response) == (415, "not_an_image")
    assert response.json()["message"].startswith("PSD (Photoshop) is not supported; send one of")
    assert client.status(md5(data)) == []


def test_a_picture_that_cannot_be_read_is_accepted_and_fails(client: Client) -> None:
    data = photograph("astronaut")[:200] + b"broken"
    assert client.upload(data).status_code == 202
    assert [job["status"] for job in client.wait(md5(data))] == ["failed"]
    assert client.download(md5(data)).status_code == 404
    # Sent again it is tried again.
    assert client.upload(data).status_code == 202
    assert [job["status"] for job in client.wait(md5(data))] == ["failed"]


def test_the_largest_picture_is_taken_and_one_byte_more_is_413(client: Client) -> None:
    photo = snapshot()
    largest = unique(photo + b"\0" * (LIMIT - len(photo) - 16))
    assert len(largest) == LIMIT
    assert client.upload(largest).status_code == 202
    assert _error(client.upload(largest + b"\0")) == (413, "size_exceeded")


def test_a_picture_well_over_the_limit_is_413_for_a_client_that_sends_first_and_reads_then(
    client: Client,
) -> None:
    assert _error(client.upload(photograph("rocket") + b"\0" * 2 * LIMIT)) == (413, "size_exceeded")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_huge_body_is_cut_off_and_not_read_to_its_end(server: Service, chunked: bool) -> None:
    """A gigabyte announced or streamed; far less of it is taken before the server hangs up."""
    size, sent, answer = 1024**3, 0, b""
    head = (
        b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        + (
            b"Transfer-Encoding: chunked\r\n\r\n"
            if chunked
            else b"Content-Length: %d\r\n\r\n" % size
        )
    )
    start = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
    block = b"\0" * 65536
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head)

        def frame(data: bytes) -> bytes:
            return b"%x\r\n%b\r\n" % (len(data), data) if chunked else data

        try:
            connection.sendall(frame(start))
            while sent < size:
                connection.sendall(frame(block))
                sent += len(block)
        except OSError:
            pass  # the server has hung up
        connection.settimeout(5)
        try:
            while part := connection.recv(65536):
                answer += part
        except OSError:
            pass
    assert sent < 100 * 1024**2
    # The answer came before the server hung up; a client that reads while it sends has it.
    assert not answer or answer.startswith(b"HTTP/1.1 413")


def test_413_reaches_a_client_that_reads_while_it_sends(server: Service) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(
            b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["error"] == "size_exceeded"
    assert str(LIMIT) in body["message"]


def test_fifty_identical_uploads_at_once_are_one_conversion(
    server: Service, client: Client
) -> None:
    data, name = snapshot(), f"{secrets.token_hex(8)}.png"
    with ThreadPoolExecutor(50) as pool:
        answers = list(
            pool.map(lambda _: client.upload(data, filename=name).status_code, range(50))
        )
    assert set(answers) <= {200, 202}
    assert 202 in answers
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]
    assert len([path for path in server.stored("originals") if md5(data) in path.name]) == 1
    assert len([path for path in server.stored("results") if md5(data) in path.name]) == 1
    server.wait_for(f"{name} → webp")
    assert sum(f"{name} → webp" in line for line in server.log) == 1


def test_fifty_large_uploads_at_once_take_less_than_100_mb_of_memory(
    server: Service | Fleet,
) -> None:
    """Each of 10 MB, all of them on their way at the same moment. A fleet gets half as many: the
    120 MB of one of its two servers are too many all the same."""
    count = 50 if isinstance(server, Service) else 24
    web = next(p for p in server.family() if p.cmdline()[-1] == "web")
    before = peak = web.memory_info().rss
    halfway = threading.Barrier(count + 1)
    photo = snapshot()
    body_size = LIMIT - len(photo)

    def send(number: int) -> int:
        start = (
            b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a.jpg"\r\n\r\n'
            + photo
            + b"%016d" % number
        )
        end = b"\r\n--b--\r\n"
        filler = body_size - 16
        with socket.create_connection(("127.0.0.1", server.port), timeout=120) as connection:
            connection.sendall(
                b"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
                % (len(start) + filler + len(end))
                + start
            )
            half = filler // 2
            connection.sendall(b"\0" * half)
            halfway.wait(120)  # all have half of their picture on the server
            halfway.wait(120)
            connection.sendall(b"\0" * (filler - half) + end)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return int(answer.split()[1])

    with ThreadPoolExecutor(count) as pool:
        answers = [pool.submit(send, number) for number in range(count)]
        halfway.wait(120)
        peak = max(peak, web.memory_info().rss)
        halfway.wait(120)
        while not all(answer.done() for answer in answers):
            peak = max(peak, web.memory_info().rss)
            time.sleep(0.02)
    assert [answer.result() for answer in answers] == [202] * count
    print(f"{count} uploads of 10 MB: {(peak - before) / 1e6:.1f} MB more")
    assert peak - before < 100_000_000


def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind(
    server: Service, client: Client
) -> None:
    web = next(p for p in server.family() if p.cmdline()[-1] == "web")
    before = _open_files(web)
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(
                b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
                b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
                b'--b\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
                + b"\0"
                * 1_000_000
            )
    until(lambda: _open_files(web) <= before + 1, what="the spooled files are closed")
    assert client.http.get("/").status_code == 200


def _open_files(process: psutil.Process) -> int:
    """Spooled files have no name, so they are counted by descriptor."""
    return int(process.num_fds())

"""GET and HEAD /download"""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from urllib.parse import unquote, urlsplit

import pytest

from tests.pictures import md5, noise, opened, photograph, snapshot, unique
from tests.service import Client, Service


@pytest.fixture(scope="module")
def done(server: Service) -> str:
    """The MD5 of a picture that is there as WebP, for tests that change nothing of it."""
    client, data = server.client(), unique(photograph("chelsea"))
    with client.http:
        client.upload(data, "webp", filename="chelsea.png")
        client.wait(md5(data))
    return md5(data)


def test_a_download_says_what_it_is(client: Client, done: str) -> None:
    response = client.download(done)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/webp"
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["content-disposition"] == 'attachment; filename="chelsea.webp"'
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"].startswith('"')
    assert opened(response.content).format == "WEBP"


def test_a_named_format_may_be_cached_and_the_newest_may_not(client: Client, done: str) -> None:
    named = client.download(done, format="webp").headers["cache-control"]
    assert named.startswith("public, max-age=")
    assert 0 < int(named.partition("max-age=")[2].partition(",")[0]) <= 24 * 3600
    assert client.download(done).headers["cache-control"] == "no-cache"


def test_head_answers_as_get_without_the_body(client: Client, done: str) -> None:
    head = client.http.head(f"/download/{done}")
    get = client.download(done)
    assert head.status_code == 200
    assert head.content == b""
    names = ("content-length", "etag", "content-type", "content-disposition", "cache-control")
    assert {n: head.headers[n] for n in names} == {n: get.headers[n] for n in names}


def test_a_client_that_has_it_gets_304(client: Client, done: str) -> None:
    etag = client.download(done).headers["etag"]
    for value in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        response = client.http.get(f"/download/{done}", headers={"if-none-match": value})
        assert response.status_code == 304
        assert response.content == b""
        assert response.headers["etag"] == etag
    response = client.http.get(f"/download/{done}", headers={"if-none-match": '"other"'})
    assert response.status_code == 200


def test_a_client_that_knows_the_date_alone_gets_304_as_long_as_it_is_current(
    client: Client, done: str
) -> None:
    modified = client.download(done).headers["last-modified"]
    date = parsedate_to_datetime(modified)
    assert modified.endswith(" GMT")
    assert timedelta() <= datetime.now(UTC) - date < timedelta(minutes=5)
    for method in ("GET", "HEAD"):
        for days, status in ((0, 304), (1, 304), (-1, 200)):
            since = format_datetime(date + timedelta(days=days), usegmt=True)
            response = client.http.request(
                method, f"/download/{done}", headers={"if-modified-since": since}
            )
            assert (response.status_code, response.headers["last-modified"]) == (status, modified)
            assert bool(response.content) == (status == 200 and method == "GET")
    headers = {"if-modified-since": modified, "if-none-match": '"other"'}
    assert client.http.get(f"/download/{done}", headers=headers).status_code == 200


def test_a_client_that_means_another_version_gets_412(client: Client, done: str) -> None:
    for headers in (
        {"if-match": '"other"'},
        {"if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"},
    ):
        response = client.http.get(f"/download/{done}", headers=headers)
        assert (response.status_code, response.json()["error"]) == (412, "precondition_failed")
    headers = {"if-match": client.download(done).headers["etag"]}
    assert client.http.get(f"/download/{done}", headers=headers).status_code == 200


def test_a_download_is_taken_up_again_by_its_date(client: Client, done: str) -> None:
    whole = client.download(done, format="webp")
    headers = {"range": "bytes=9-", "if-range": whole.headers["last-modified"]}
    rest = client.http.get(f"/download/{done}?format=webp", headers=headers)
    assert (rest.status_code, rest.content) == (206, whole.content[9:])
    # The newest of several may be another one that is as old, to the second.
    assert client.http.get(f"/download/{done}", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=5-5", 5, 6),
        ("bytes=10-99999999", 10, None),
    ],
)
def test_a_range_gives_these_bytes(
    client: Client, done: str, header: str, start: int, end: int | None
) -> None:
    whole = client.download(done).content
    response = client.http.get(f"/download/{done}", headers={"range": header})
    assert response.status_code == 206
    assert response.content == whole[start:end]
    first = start % len(whole)
    last = first + len(response.content) - 1
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(whole)}"


def test_a_range_behind_the_end_is_416(client: Client, done: str) -> None:
    size = len(client.download(done).content)
    response = client.http.get(f"/download/{done}", headers={"range": f"bytes={size}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{size}"


def test_a_range_of_another_version_gives_the_whole(client: Client, done: str) -> None:
    headers = {"range": "bytes=0-9", "if-range": '"older"'}
    assert client.http.get(f"/download/{done}", headers=headers).status_code == 200
    headers["if-range"] = client.download(done).headers["etag"]
    assert client.http.get(f"/download/{done}", headers=headers).status_code == 206


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("Straße 東京 😀.jpeg", "Straße 東京 😀.webp"),
        ("../../etc/passwd", "passwd.webp"),
        ("C:\\Users\\me\\кот.jpg", "кот.webp"),
        ("two.dots.png", "two.dots.webp"),
        ("بطاقة.png", "بطاقة.webp"),
        ("x" * 500 + ".png", "x" * 196 + ".webp"),
        # httpx escapes these as browsers and curl do; a % of the name's own is no escape.
        ('a "red" rocket, 100%25.jpg', 'a "red" rocket, 100%25.webp'),
        ("two\r\nlines.jpg", "twolines.webp"),
        ('a"; filename="evil.exe', None),
    ],
)
def test_the_file_keeps_its_name_with_the_new_extension(
    client: Client, sent: str, name: str | None
) -> None:
    data = snapshot()
    client.upload(data, "webp", filename=sent)
    client.wait(md5(data))
    header = client.download(md5(data)).headers["content-disposition"]
    assert header.startswith('attachment; filename="')
    assert header.isascii()
    if name is None:  # a quote must not end the name early
        assert header.count('"') == 2
        return
    plain, extended, encoded = header.partition("; filename*=UTF-8''")
    if extended:
        assert unquote(encoded) == name
    else:
        assert plain == f'attachment; filename="{name}"'


def test_the_newest_comes_first_and_format_and_quality_choose(client: Client) -> None:
    data = snapshot()
    for format, quality in (("webp", "0"), ("jpg", "90"), ("jpg", "20")):
        client.upload(data, format, quality=quality)
        client.wait(md5(data))
    newest = client.download(md5(data))
    assert newest.headers["content-type"] == "image/jpeg"
    assert newest.content == client.download(md5(data), format="jpg", quality=20).content
    assert newest.content == client.download(md5(data), format=" JPEG ").content
    better = client.download(md5(data), format="jpg", quality=90)
    assert len(better.content) > len(newest.content)
    assert client.download(md5(data), quality=90).content == better.content
    webp = client.download(md5(data), format="webp")
    assert webp.headers["content-type"] == "image/webp"


@pytest.mark.parametrize(
    "query", [{"format": "png"}, {"format": "bmp"}, {"quality": 7}, {"quality": "x"}]
)
def test_what_was_not_converted_is_404(client: Client, done: str, query: dict[str, str]) -> None:
    response = client.download(done, **query)
    assert (response.status_code, response.json()["error"]) == (404, "not_found")


def test_a_result_that_is_gone_is_not_done_and_can_be_made_again(
    server: Service, client: Client
) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    for path in server.stored("results"):
        if md5(data) in path.name:
            path.unlink()
    assert client.status(md5(data)) == []
    assert client.download(md5(data)).status_code == 404
    assert client.upload(data).status_code == 202
    client.wait(md5(data))
    assert client.download(md5(data)).status_code == 200


def test_large_results_asked_for_one_after_the_other_come_whole_to_a_slow_reader(
    server: Service, client: Client
) -> None:
    data = noise(400)
    client.upload(data, "jpg", q="98", effort="fast")
    client.wait(md5(data))
    whole = client.download(md5(data)).content
    # More than what goes out as one with its head, and than the buffers of the connection hold.
    count = 30
    assert len(whole) > 200_000
    address = "127.0.0.1", urlsplit(server.url).port
    with socket.create_connection(address, timeout=60) as connection:
        request = f"GET /download/{md5(data)} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        connection.sendall(count * request)
        with connection.makefile("rb") as received:
            for _ in range(count):
                assert received.readline() == b"HTTP/1.1 200 OK\r\n"
                while received.readline() != b"\r\n":
                    pass
                body = b""
                while len(body) < len(whole):
                    time.sleep(0.005)
                    body += received.read(min(65536, len(whole) - len(body)))
                assert body == whole

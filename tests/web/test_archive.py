"""POST /archive: many results as one ZIP."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.web.http.entries import safe_path, told_apart
from tests.pictures import md5, photograph, snapshot, unique
from tests.service import Client, Service
from tests.web.alone import web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS


@pytest.fixture(scope="module")
def picture(server: Service) -> str:
    """The MD5 of a picture with two plain results and one with options."""
    client, data = Client(server.url), unique(photograph("rocket"))
    with client.http:
        for fields in ({"format": "webp"}, {"format": "jpg", "quality": "70"}):
            assert client.upload(data, **fields).status_code == 202
        assert client.upload(data, "webp", width="40", q="60").status_code == 202
        client.wait(md5(data))
    return md5(data)


def _archive(client: Client, *files: Any) -> httpx.Response:
    return client.http.post("/archive", json={"files": files})


def _opened(response: httpx.Response) -> zipfile.ZipFile:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    assert "pictures.zip" in response.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(response.content))
    assert archive.testzip() is None
    return archive


def test_results_are_in_it_byte_for_byte_in_their_folders(
    client: Client, server: Service, picture: str
) -> None:
    jobs = client.http.get(f"/status/{picture}?details=true").json()
    files = [{**job, "path": f"strand/größe/{n}.{job['format']}"} for n, job in enumerate(jobs)]
    response = _archive(client, *files)
    Contract(server.url).check(response)
    archive = _opened(response)
    assert archive.namelist() == [file["path"] for file in files]
    for job, info in zip(jobs, archive.infolist(), strict=True):
        there = client.http.get(f"/status/{job['download_url']}")
        assert there.status_code == 200
        assert archive.read(info) == there.content, job
        assert info.compress_type == zipfile.ZIP_STORED
        assert info.external_attr >> 16 == 0o644


def test_a_form_of_a_browser_is_the_same_list(client: Client, picture: str) -> None:
    files = [{"md5": picture, "format": "jpg", "path": "strand/größe & co/{1}.jpg"}]
    archive = _opened(client.http.post("/archive", data={"files": json.dumps(files)}))
    assert archive.namelist() == ["strand/größe & co/{1}.jpg"]
    # As curl sends it, which says that all of its data is a form.
    head = {"Content-Type": "application/x-www-form-urlencoded"}
    body = json.dumps({"files": files})
    assert _opened(client.http.post("/archive", content=body, headers=head)).namelist()


@pytest.mark.parametrize("body", [b"", b"x=1", b"files=", b"files=%5B%5D", b"files=%ff", b"&" * 99])
def test_a_form_without_a_list_is_refused_in_words(
    client: Client, server: Service, body: bytes
) -> None:
    head = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    response = client.http.post("/archive", content=body, headers=head)
    assert response.status_code == 400, response.text
    assert response.json()["error"] == "invalid_json"
    Contract(server.url).check(response)


def test_what_an_entry_leaves_out_is_found_as_by_a_download(client: Client, picture: str) -> None:
    archive = _opened(
        _archive(
            client,
            {"md5": picture.upper(), "format": "jpeg"},
            {"md5": picture, "q": 60, "options": {"width": 40}, "path": "small"},
        )
    )
    assert archive.namelist() == ["cat.jpg", "small.webp"]
    assert archive.read("cat.jpg") == client.download(picture, format="jpg").content
    small = client.download(picture, format="webp", width=40, q=60)
    assert archive.read("small.webp") == small.content


def test_no_path_leaves_the_folder_and_equal_ones_are_told_apart(
    client: Client, picture: str
) -> None:
    asked = [
        *("../../etc/a.webp", "/etc/a.webp", "C:\\etc\\A.webp", "a/./b/../c.webp", "a//..webp"),
        *("x\x00y.webp", "..", "a.webp", "a.webp"),
    ]
    files = [{"md5": picture, "format": "webp", "path": path} for path in asked]
    names = _opened(_archive(client, *files)).namelist()
    assert names == [
        *("etc/a.webp", "etc/a (2).webp", "C_/etc/A.webp", "a/b/c.webp", "a/webp.webp"),
        *("xy.webp", "picture.webp", "a.webp", "a (2).webp"),
    ]


@pytest.mark.parametrize(
    ("paths", "apart"),
    [
        (["a.png", "A.PNG", "a.png"], ["a.png", "A (2).PNG", "a (3).png"]),
        (["a (2).png", "a.png", "a.png"], ["a (2).png", "a.png", "a (3).png"]),
        (["d/a", "d/a"], ["d/a", "d/a (2)"]),
    ],
)
def test_a_number_is_never_that_of_another_file(paths: list[str], apart: list[str]) -> None:
    assert list(told_apart(paths)) == apart


def test_a_path_of_many_folders_keeps_the_last_ones() -> None:
    path = safe_path("/".join(str(n) for n in range(100)) + "/a.png", "png")
    assert path == "/".join(str(n) for n in range(80, 100)) + "/a.png"


def test_missing_results_are_listed_before_the_first_byte(
    client: Client, server: Service, picture: str
) -> None:
    response = _archive(
        client,
        {"md5": picture, "format": "webp"},
        {"md5": "0" * 32},
        {"md5": picture, "format": "avif"},
    )
    assert response.status_code == 404
    Contract(server.url).check(response)
    told = response.json()
    assert told["error"] == "results_missing"
    assert "2 of 3" in told["message"]
    assert list(told["missing"]) == ["files[1]", "files[2]"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        (b"", 400, "not JSON"),
        (b"[" * 100_000, 400, "not JSON"),
        (b'{"files": []}', 400, "not empty"),
        (b"[]", 400, "list 'files'"),
        ({"files": [1]}, 400, "files[0]"),
        ({"files": [{"md5": "../x"}]}, 400, "32 hex digits"),
        ({"files": [{"md5": "0" * 32, "format": "exe"}]}, 400, "files[0]"),
        ({"files": [{"md5": "0" * 32, "quality": True}]}, 400, "quality"),
        ({"files": [{"md5": "0" * 32, "q": 0}]}, 400, "q should"),
        ({"files": [{"md5": "0" * 32, "options": []}]}, 400, "options"),
        ({"files": [{"md5": "0" * 32, "options": {"width": "x"}}]}, 400, "width"),
        ({"files": [{"md5": "0" * 32, "path": 7}]}, 400, "path"),
        ({"files": [{"md5": "0" * 32}] * 10_001}, 413, "10001 files"),
        (b" " * (4 * 1024**2 + 1), 413, "4194304 bytes"),
    ],
)
def test_a_wrong_list_is_refused_in_words(
    client: Client, server: Service, body: Any, status: int, told: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = client.http.post("/archive", content=content)
    assert response.status_code == status, response.text
    assert told in response.json()["message"]
    Contract(server.url).check(response)


def test_memory_stays_flat_however_long_the_archive_is(
    server: Service, client: Client, picture: str
) -> None:
    """4,000 files: what it holds is the list at their end."""
    web_process = min(
        (p for p in server.family() if "app web" in " ".join(p.cmdline())), key=lambda p: p.pid
    )
    _archive(client, *[{"md5": picture, "format": "jpg"}] * 100)
    before = web_process.memory_info().rss
    most = received = 0
    files = [{"md5": picture, "format": "jpg", "path": f"{n}.jpg"} for n in range(4000)]
    with client.http.stream("POST", "/archive", json={"files": files}) as response:
        assert response.status_code == 200
        for count, part in enumerate(response.iter_bytes()):
            received += len(part)
            if count % 200 == 0:
                most = max(most, web_process.memory_info().rss)
    assert received > 60_000_000, received
    assert most - before < 25_000_000, (before, most, received)


def test_one_that_is_deleted_meanwhile_cuts_the_answer_off(
    client: Client, server: Service, picture: str
) -> None:
    data = snapshot()
    client.upload(data, "png")
    client.wait(md5(data))
    (gone,) = (path for path in server.stored("results") if md5(data) in path.name)
    files = [{"md5": picture, "format": "jpg"}] * 2000 + [{"md5": md5(data)}]
    with client.http.stream("POST", "/archive", json={"files": files}) as response:
        assert response.status_code == 200
        parts = response.iter_bytes()
        next(parts)
        gone.unlink()
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in parts:
                pass


def test_it_needs_the_key_where_keys_are_set(redis_url: str, tmp_path: Path) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS=KEYS) as running:
        files = {"files": [{"md5": "0" * 32}]}
        assert running.client.http.post("/archive", json=files).status_code == 401
        keyed = running.client.http.post("/archive", json=files, headers={"X-API-Key": KEY})
        assert keyed.status_code == 404
        form = {"files": json.dumps(files["files"])}
        for key, status in ((None, 401), ("wrong", 401), (KEY, 404)):
            fields = form if key is None else {**form, "api_key": key}
            assert running.client.http.post("/archive", data=fields).status_code == status, key
        wrong = {"X-API-Key": "wrong"}
        both = running.client.http.post("/archive", data={**form, "api_key": KEY}, headers=wrong)
        assert both.status_code == 401


def test_without_redis_it_says_so(tmp_path: Path) -> None:
    with web(tmp_path, "redis://127.0.0.1:1") as running:
        response = running.client.http.post("/archive", json={"files": [{"md5": "0" * 32}]})
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
        Contract(running.url).check(response)

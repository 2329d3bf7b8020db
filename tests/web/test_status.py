"""GET / /status /queue, and what is nowhere."""

from __future__ import annotations

import pytest

from app import __version__
from tests.pictures import md5, snapshot
from tests.service import Client, Service, suspended, until


def test_the_server_says_what_it_is(client: Client) -> None:
    assert client.http.get("/").json() == {
        "version": __version__,
        "download_url": "download/",
        "max_upload_size_bytes": 10485760,
        "max_concurrent_tasks": 3,
        "max_age": 24,
    }


def test_status_lists_every_conversion_of_a_picture(client: Client) -> None:
    data = snapshot()
    for format in ("webp", "png", "jpg"):
        client.upload(data, format)
    client.wait(md5(data))
    assert client.status(md5(data)) == [
        {"md5": md5(data), "format": "webp", "quality": 0, "status": "done"},
        {"md5": md5(data), "format": "png", "quality": 0, "status": "done"},
        {"md5": md5(data), "format": "jpg", "quality": 80, "status": "done"},
    ]


def test_a_picture_is_queued_then_processing_then_done(server: Service, client: Client) -> None:
    data = snapshot()
    picture = md5(data)
    queue = [{"md5": picture, "filename": "holiday.jpg", "format": "png", "quality": 0}]

    def status() -> str:
        return str(client.status(picture)[0]["status"])

    decoders = server.freeze(3)
    workers = [parent for decoder in decoders if (parent := decoder.parent())]
    with suspended(decoders):
        with suspended(workers):
            client.upload(data, "png", filename="holiday.jpg")
            assert status() == "queued"
            assert client.http.get(f"/queue/{picture}").json() == queue
        until(lambda: status() != "queued", what="a worker takes it")
        assert status() == "processing"
        assert client.http.get(f"/queue/{picture}").json() == queue
    until(lambda: status() != "processing", what="it is converted")
    assert status() == "done"
    assert client.http.get(f"/queue/{picture}").status_code == 404


@pytest.mark.parametrize("path", ["status", "queue", "download"])
@pytest.mark.parametrize(
    "md5", ["0" * 32, "0" * 31, "g" * 32, "..%2f..%2fetc%2fpasswd", "%00" * 32, "é" * 32]
)
def test_an_unknown_picture_is_404(client: Client, path: str, md5: str) -> None:
    response = client.http.get(f"/{path}/{md5}")
    assert response.status_code == 404
    assert response.json()["error"] == "not_found"


def test_an_md5_is_found_in_upper_case_too(client: Client) -> None:
    data = snapshot()
    client.upload(data)
    assert client.status(md5(data).upper())[0]["md5"] == md5(data)


def test_an_unknown_path_and_method_are_json_errors(client: Client) -> None:
    assert client.http.get("/nowhere").json()["error"] == "not_found"
    response = client.http.get("/upload")
    assert (response.status_code, response.json()["error"]) == (405, "method_not_allowed")

"""A storage that is full or cannot be written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest
import redis
from websockets.sync.client import connect

from app.web.service.spooling import SPOOL_MEMORY
from tests import rq_keys
from tests.disk import full_for, small_disk
from tests.pictures import large, md5, opened, photograph, snapshot, unique
from tests.s3 import s3_server
from tests.service import Client, Service, command, service, until
from tests.web.sockets import answers, message


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path) as running:
        yield running


@pytest.fixture
def client(server: Service) -> Client:
    return Client(server.url)


def _processes(server: Service, module: str) -> list[psutil.Process]:
    found = [(p, command(p).rpartition("-m ")[2]) for p in server.family()]
    return [p for p, line in found if line.partition(": ")[0] == module]


def _reason(server: Service, job_id: str) -> str | None:
    with redis.Redis.from_url(server.redis_url) as connection:
        meta = json.loads(connection.hget(rq_keys.job(job_id), "meta") or b"{}")
    return cast(str | None, meta.get("error"))


def _files(server: Service) -> list[Path]:
    """Also what is staged and not yet an object."""
    return [*server.stored("originals"), *server.stored("results")]


@pytest.mark.parametrize("size", ["small", "large"])
def test_an_upload_to_a_full_storage_is_told_so_and_leaves_nothing(
    server: Service, client: Client, size: str
) -> None:
    """The larger one is spooled to a file, which finds the disk full before the storage does."""
    data = snapshot() if size == "small" else unique(large(1000, 1000, "PNG"))
    assert (len(data) > SPOOL_MEMORY) == (size == "large")
    with full_for(_processes(server, "app web")):
        response = client.upload(data)
        assert response.status_code == 507
        assert response.json()["error"] == "storage_full"
        assert int(response.headers["Retry-After"]) > 0
        assert client.status(md5(data)) == []
        assert _files(server) == []
    assert client.upload(data).status_code == 202
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]
    assert not [line for line in server.log if "Traceback" in line]


def test_a_socket_is_told_that_the_storage_is_full_and_goes_on(server: Service) -> None:
    data = snapshot()
    with connect(server.ws_url, max_size=None) as ws:
        with full_for(_processes(server, "app web")):
            ws.send(message(data))
            error = {"status": "error", "message": "storage_full", "md5": md5(data)}
            assert answers(ws, 1) == [error]
        ws.send(message(data))
        assert answers(ws, 1)[-1]["status"] == "done"


def test_a_storage_that_cannot_be_written_is_told_as_unavailable(
    server: Service, client: Client
) -> None:
    (server.folder / "output" / "originals").touch()
    response = client.upload(snapshot())
    assert response.status_code == 503
    assert response.json()["error"] == "storage_unavailable"
    assert int(response.headers["Retry-After"]) > 0
    # What is wrong with which file is for the log alone.
    assert str(server.folder) not in response.text
    server.wait_for("Not a directory")


def test_a_result_that_finds_the_storage_full_is_stored_when_there_is_room(
    server: Service, client: Client
) -> None:
    data = snapshot()
    with full_for(_processes(server, "workers")):
        client.upload(data)
        server.wait_for("The storage is full; it is put back")
        assert client.download(md5(data)).status_code == 404
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]
    opened(client.download(md5(data)).content)


def test_a_result_for_which_there_is_no_room_is_failed_with_the_reason(
    server: Service, client: Client
) -> None:
    data = snapshot()
    with full_for(_processes(server, "workers")):
        client.upload(data)
        assert [job["status"] for job in client.wait(md5(data))] == ["failed"]
    assert _reason(server, f"{md5(data)}-webp-0") == "The storage is full"
    assert client.download(md5(data)).status_code == 404
    assert server.stored("results") == []
    # Sent again it is tried again.
    assert client.upload(data).status_code == 202
    assert [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_a_result_that_cannot_be_written_is_failed_with_the_reason(
    server: Service, client: Client
) -> None:
    (server.folder / "output" / "results").touch()
    data = snapshot()
    client.upload(data)
    assert [job["status"] for job in client.wait(md5(data))] == ["failed"]
    assert _reason(server, f"{md5(data)}-webp-0") == "The storage fails: Not a directory"
    assert not [line for line in server.log if "Traceback" in line]


def test_a_disk_that_is_really_full_loses_nothing(tmp_path: Path) -> None:
    """Pictures come until there is no room; then room is made. A disk for four, as each
    that waits for room keeps a worker for six seconds in all, and they are tried in turns."""
    with small_disk(tmp_path / "output", "512k") as disk, service(tmp_path) as server:
        client = Client(server.url)
        accepted = []
        for _ in range(30):
            data = unique(photograph("rocket"))
            response = client.upload(data)
            assert response.status_code in (202, 507)
            if response.status_code == 507:
                break
            accepted.append(data)
        assert response.json()["error"] == "storage_full"
        for data in accepted:
            (job,) = client.wait(md5(data))
            if job["status"] == "failed":
                assert _reason(server, f"{md5(data)}-webp-0") == "The storage is full"
            else:
                opened(client.download(md5(data)).content)
        for path in (disk / "originals").rglob("*"):
            if path.is_file():
                path.unlink()
        data = unique(photograph("rocket"))
        until(lambda: client.upload(data).status_code == 202, what="there is room again")
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_a_bucket_that_goes_away_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server(tmp_path / "s3") as bucket:
        for name, value in bucket.settings.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        ours = {
            name.removeprefix("TINYIMAGE_"): value
            for name, value in bucket.settings.items()
            if name.startswith("TINYIMAGE_")
        }
        with service(tmp_path, **ours, UPLOAD__MAX_CONCURRENT_TASKS=1) as server:
            client = Client(server.url)
            done, in_hand, refused = (snapshot() for _ in range(3))
            client.upload(done)
            client.wait(md5(done))
            (decoder,) = server.freeze(1)
            client.upload(in_hand)
            until(lambda: client.status(md5(in_hand))[0]["status"] == "processing")
            bucket.stop()
            for response in (client.upload(refused), client.download(md5(done))):
                assert response.status_code == 503
                assert response.json()["error"] == "storage_unavailable"
                assert int(response.headers["Retry-After"]) > 0
                assert str(bucket.port) not in response.text
            assert client.http.get("/healthz").status_code == 200
            assert client.http.get("/readyz").json()["missing"] == {"storage": "fails"}
            decoder.resume()
            server.wait_for("it is put back")
            bucket.start()
            assert [job["status"] for job in client.wait(md5(in_hand))] == ["done"]
            assert client.download(md5(done)).status_code == 200
            assert client.upload(refused).status_code == 202
            assert [job["status"] for job in client.wait(md5(refused))] == ["done"]
            until(lambda: client.http.get("/readyz").status_code == 200, what="ready again")
            assert not [line for line in server.log if "Traceback" in line]

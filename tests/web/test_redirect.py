"""`download.redirect`, with a bucket and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench.launch import free_port
from tests.pictures import md5, opened, snapshot
from tests.s3 import S3Server
from tests.service import NO_TLS, Client, Process, environment, until
from tests.web.contract import Contract


@pytest.fixture(params=["s3", "file"])
def client(
    request: pytest.FixtureRequest, session_s3: S3Server, redis_url: str, tmp_path: Path
) -> Iterator[Client]:
    port = free_port()
    env = environment(tmp_path, port, REDIS__URL=redis_url, DOWNLOAD__REDIRECT="true")
    if request.param == "s3":
        env |= session_s3.settings
    processes = [Process(["app", "web"], env), Process(["workers"], env)]
    client = Client(f"http://127.0.0.1:{port}")
    try:
        until(client.answers, what="the web answers")
        yield client
        assert not [line for process in processes for line in process.log if "X-Amz" in line]
    finally:
        for process in processes:
            process.terminate()


@pytest.mark.parametrize("client", ["s3"], indirect=True)
def test_a_download_goes_to_the_bucket_and_is_the_same_there(client: Client) -> None:
    data = snapshot()
    client.upload(data, filename="Straße.jpg")
    client.wait(md5(data))
    answer = client.download(md5(data))
    assert answer.status_code == 302
    assert answer.headers["cache-control"] == "no-store"
    contract = Contract(str(client.http.base_url).rstrip("/"))
    contract.check(answer)
    contract.check(client.http.head(f"/download/{md5(data)}"))
    there = httpx.get(answer.headers["location"], verify=NO_TLS)
    assert there.status_code == 200
    assert there.headers["content-type"] == "image/webp"
    assert there.headers["content-disposition"].endswith("filename*=UTF-8''Stra%C3%9Fe.webp")
    assert opened(there.content).format == "WEBP"
    head = client.http.head(f"/download/{md5(data)}", follow_redirects=True)
    assert head.status_code == 200
    assert int(head.headers["content-length"]) == len(there.content)
    assert client.download("0" * 32).status_code == 404


@pytest.mark.parametrize("client", ["file"], indirect=True)
def test_a_storage_that_signs_nothing_streams(client: Client) -> None:
    data = snapshot()
    client.upload(data)
    client.wait(md5(data))
    answer = client.download(md5(data))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")

"""A Redis and a data folder of version 0.1.0, with a picture that is done, one that has failed and
one that waits, go on under this version. `tests/data/version-0.1.0.zip` holds them, as that version
left them: each key of Redis with its type and its value, the files, and what had been sent."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from bench.launch import ROOT
from tests.conftest import running_redis
from tests.pictures import md5, opened
from tests.service import Client, Service, service

KEPT = ROOT / "tests" / "data" / "version-0.1.0.zip"


def _restore(connection: redis.Redis, name: str, kind: str, value: Any) -> None:
    """Put a key back."""
    puts: dict[str, Callable[[], object]] = {
        "string": lambda: connection.set(name, _bytes(value)),
        "list": lambda: connection.rpush(name, *map(_bytes, value)),
        "set": lambda: connection.sadd(name, *map(_bytes, value)),
        "zset": lambda: connection.zadd(name, {_bytes(member): at for member, at in value}),
        "hash": lambda: connection.hset(name, mapping=_fields(value)),
        "stream": lambda: [connection.xadd(name, _fields(entry)) for entry in value],
    }
    puts[kind]()


def _bytes(text: str) -> bytes:
    return text.encode("latin-1")


def _fields(value: dict[str, str]) -> Any:
    return {name: _bytes(text) for name, text in value.items()}


@pytest.fixture(scope="module")
def sent() -> dict[str, bytes]:
    """The pictures by what had become of them."""
    with zipfile.ZipFile(KEPT) as kept:
        return {name: kept.read(f"sent/{name}.png") for name in ("done", "failed", "waiting")}


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """This version with the data of that one."""
    folder = tmp_path_factory.mktemp("older")
    with zipfile.ZipFile(KEPT) as kept, running_redis(folder / "redis") as embedded:
        connection = redis.Redis.from_url(embedded.url)
        for name, entry in json.loads(kept.read("redis.json")).items():
            _restore(connection, name, entry["type"], entry["value"])
        files = [name for name in kept.namelist() if name.startswith("output/")]
        kept.extractall(folder, files)
        connection.close()
        years = 24 * 365 * 100
        with service(folder, REDIS__URL=embedded.url, UPLOAD__MAX_AGE=years) as running:
            yield running


@pytest.fixture
def visitor(newer: Service) -> Iterator[Client]:
    client = newer.client()
    with client.http:
        yield client


def test_a_picture_that_was_done_is_downloaded(visitor: Client, sent: dict[str, bytes]) -> None:
    (job,) = visitor.status(md5(sent["done"]))
    assert (job["status"], job["format"]) == ("done", "png")
    assert job["options"] == {"width": 32, "height": 32, "fit": "cover"}
    result = visitor.download(md5(sent["done"]))
    assert opened(result.content).size == (32, 32)
    again = visitor.upload(sent["done"], format="png", width="32", height="32", fit="cover")
    assert again.status_code == 200


def test_a_picture_that_waited_is_converted(visitor: Client, sent: dict[str, bytes]) -> None:
    (job,) = visitor.wait(md5(sent["waiting"]))
    assert (job["status"], job["format"], job["quality"]) == ("done", "jpg", 70)
    image = opened(visitor.download(md5(sent["waiting"])).content)
    assert (image.format, image.size) == ("JPEG", opened(sent["waiting"]).size)


def test_a_picture_that_had_failed_says_why_and_can_be_sent_again(
    visitor: Client, sent: dict[str, bytes]
) -> None:
    told = visitor.http.get(f"/status/{md5(sent['failed'])}", params={"details": "true"}).json()
    assert [entry["status"] for entry in told] == ["failed"]
    assert "cannot be read" in told[0]["error"]["message"]
    assert visitor.upload(sent["failed"]).status_code == 202
    (job,) = visitor.wait(md5(sent["failed"]))
    assert job["status"] == "failed"


def test_the_counts_go_on(visitor: Client, sent: dict[str, bytes]) -> None:
    visitor.wait(md5(sent["waiting"]))
    metrics = visitor.http.get("/metrics").text
    assert 'tinyimage_conversion_seconds_count{format="png"} 1.0' in metrics

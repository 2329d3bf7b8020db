"""Whoever sends a picture is told of its end, at the endpoints of its key or at a URL it names."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from websockets.sync.client import connect

from tests.hosts import Host, host
from tests.pictures import md5, snapshot, unique
from tests.receiver import OTHER_SECRET, SECRET, Receiver, receiver, webhook_settings
from tests.scrape import scrape, total
from tests.service import Client, Service, service, until
from tests.web.contract import Contract
from tests.web.sockets import message

SHOP_KEY, BLOG_KEY = "shop-key-of-16-characters", "blog-key-of-16-characters"
TOKEN = "a-token-of-the-client"


@pytest.fixture(scope="module", name="receiver")
def _receiver() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def site() -> Iterator[Host]:
    with host() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Service]:
    endpoints = {
        "shop": {"url": f"{receiver.url}/shop", "secret": SECRET, "keys": ["shop"]},
        "failures": {
            "url": f"{receiver.url}/failures",
            "secret": [OTHER_SECRET, SECRET],
            "events": ["image.failed"],
        },
    }
    settings = webhook_settings(endpoints, any="true", secret=OTHER_SECRET, retries="0.1,0.1")
    api_keys = f"shop:{SHOP_KEY},blog:{BLOG_KEY}"
    settings |= {"AUTH__API_KEYS": api_keys, "UPLOAD__MAX_CONCURRENT_TASKS": 1}
    folder = tmp_path_factory.mktemp("webhooks")
    with service(folder, FETCH__ENABLED="true", **settings) as running:
        yield running


@pytest.fixture
def client(server: Service) -> Client:
    return _client(server, SHOP_KEY)


def _client(server: Service, key: str) -> Client:
    client = server.client()
    client.http.headers["x-api-key"] = key
    return client


def test_the_endpoint_of_the_key_is_told_of_a_picture_and_its_download(
    client: Client, receiver: Receiver
) -> None:
    data = snapshot()
    asked = {"width": "50", "placeholder": "color"}
    assert client.upload(data, "webp", filename="rocket.jpg", **asked).status_code == 202
    (told,) = receiver.of(md5(data))
    assert (told.path, told.type) == ("/hooks/shop", "image.done")
    assert told.is_signed_by(SECRET)
    assert not told.is_signed_by(OTHER_SECRET)
    assert told.headers["content-type"] == "application/json"
    url = told.data["download_url"]
    result = client.http.get(f"/{url}")
    assert re.fullmatch("#[0-9a-f]{6}", told.data["placeholder"])
    assert told.data == {
        "md5": md5(data),
        "format": "webp",
        "quality": 0,
        "options": {"width": 50, "placeholder": "color"},
        "status": "done",
        "placeholder": told.data["placeholder"],
        "filename": "rocket.jpg",
        "original_bytes": len(data),
        "result_bytes": len(result.content),
        "download_url": url,
    }


def test_every_message_is_as_the_schema_says(
    server: Service, client: Client, receiver: Receiver
) -> None:
    contract = Contract(server.url)
    described = contract.schema["webhooks"]
    good, bad = snapshot(), b"\xff\xd8\xff\xe0" + unique(b"")
    for data in (good, bad):
        assert client.upload(data, "avif", width="40", q="auto").status_code == 202
        (told, *_) = receiver.of(md5(data))
        post = described[told.type]["post"]
        contract.validate(told.event, post["requestBody"]["content"]["application/json"]["schema"])
        assert {parameter["name"] for parameter in post["parameters"]} <= set(told.headers)


def test_a_failure_is_told_with_its_code_to_every_endpoint_that_wants_it(
    client: Client, receiver: Receiver
) -> None:
    data = b"\xff\xd8\xff\xe0" + unique(b"")
    assert client.upload(data, "webp", filename="<b>.jpg").status_code == 202
    told = {each.path: each for each in receiver.of(md5(data), 2)}
    assert set(told) == {"/hooks/shop", "/hooks/failures"}
    for each in told.values():
        assert each.type == "image.failed"
        assert each.data["error"]["code"] == "processing_failed"
        assert each.data["filename"] == client.status(md5(data))[0].get("filename", "<b>.jpg")
        assert "download_url" not in each.data
    # A receiver that has either of its secrets can verify.
    assert told["/hooks/failures"].is_signed_by(SECRET)
    assert told["/hooks/failures"].is_signed_by(OTHER_SECRET)
    assert told["/hooks/shop"].id != told["/hooks/failures"].id


def test_a_url_of_the_upload_is_told_and_again_when_it_is_done_already(
    server: Service, receiver: Receiver
) -> None:
    client, data = _client(server, BLOG_KEY), snapshot()
    for count, status in ((1, 202), (2, 200)):
        answer = client.upload(data, "webp", webhook=f"{receiver.url}/own?token={TOKEN}")
        assert answer.status_code == status
        told = receiver.of(md5(data), count)
        assert [each.path for each in told] == [f"/hooks/own?token={TOKEN}"] * count
        assert told[-1].is_signed_by(OTHER_SECRET)
    assert told[0].data == told[1].data
    assert told[0].id != told[1].id
    assert client.upload(data, "webp").status_code == 200


def test_whoever_asks_for_the_same_picture_is_told_too(
    server: Service, client: Client, receiver: Receiver
) -> None:
    data = snapshot()
    blog = _client(server, BLOG_KEY)
    (decoder,) = server.freeze(1)
    assert blog.upload(data, "webp", webhook=f"{receiver.url}/waiting").status_code == 202
    until(lambda: blog.status(md5(data))[0]["status"] == "processing")
    assert client.upload(data, "webp").status_code == 202
    for _ in range(2):  # one that asks twice is told once
        assert blog.upload(data, "webp", webhook=f"{receiver.url}/second").status_code == 202
    decoder.resume()
    told = receiver.of(md5(data), 3)
    assert sorted(each.path for each in told) == [
        "/hooks/second",
        "/hooks/shop",
        "/hooks/waiting",
    ]


def test_a_picture_of_a_socket_is_told_of_too(
    server: Service, client: Client, receiver: Receiver
) -> None:
    data = snapshot()
    headers = {"x-api-key": SHOP_KEY}
    with connect(server.ws_url, additional_headers=headers, max_size=None) as ws:
        ws.send(message(data, format="jpg", webhook=f"{receiver.url}/socket"))
        told = receiver.of(md5(data), 2)
        assert sorted(each.path for each in told) == ["/hooks/shop", "/hooks/socket"]
        ws.send(message(data, format="png", webhook="http://10.0.0.1/"))
        answers = [json.loads(ws.recv(timeout=30)) for _ in range(4)]
    assert answers[-1]["message"] == "invalid_option"
    assert answers[-1]["detail"] == "'webhook': The URL does not lead to a public address"


def test_a_picture_that_cannot_be_fetched_is_told_of_by_its_id_and_host_and_nothing_more(
    server: Service, client: Client, receiver: Receiver, site: Host
) -> None:
    contract, described = Contract(server.url), Contract(server.url).schema["webhooks"]
    site.files["text.jpg"] = b"no picture"
    for path, filename, code in (
        ("/status/404", "picture", "source_not_found"),
        ("/files/text.jpg", "text.jpg", "not_an_image"),
    ):
        sent = client.http.post(
            "/upload",
            json={
                "url": f"{site.url}{path}?{TOKEN}",
                "webhook": f"{receiver.url}/fetched",
                "batch": f"of-{code}",
            },
        )
        assert sent.status_code == 202, sent.text
        id = sent.json()["id"]
        told = receiver.of(id, 3)
        paths = sorted(each.path for each in told)
        assert paths == ["/hooks/failures", "/hooks/fetched", "/hooks/shop"]
        for each in told:
            post = described[each.type]["post"]["requestBody"]["content"]["application/json"]
            contract.validate(each.event, post["schema"])
            contract.validate(each.event, contract.component("LinkFailed"))
            assert TOKEN.encode() not in each.body
            message = each.data.pop("error")
            assert message["code"] == code
            assert each.data == {
                "id": id,
                "status": "failed",
                "host": "127.0.0.1",
                "filename": filename,
                "error": message,
            }
        status = client.http.get(f"/status/{id}").json()[0]
        assert status["error"] == message
        # Its batch has ended with it.
        done = [each for each in receiver.of(f"of-{code}", 2) if each.type == "batch.done"]
        assert {each.path for each in done} == {"/hooks/shop", "/hooks/fetched"}
        assert done[0].data == {"batch": f"of-{code}", "total": 1, "done": 0, "failed": 1}


def test_a_picture_that_is_fetched_is_told_of_once(
    client: Client, receiver: Receiver, site: Host
) -> None:
    site.files["good.jpg"] = data = snapshot()
    sent = client.http.post("/upload", json={"url": f"{site.url}/files/good.jpg", "batch": "good"})
    (told,) = receiver.of(md5(data))
    assert (told.type, told.path) == ("image.done", "/hooks/shop")
    receiver.of('"batch":"good"')
    assert sent.json()["id"].encode() not in b"".join(each.body for each in receiver.received)


def test_a_url_that_leads_inside_is_refused_and_nothing_is_queued(client: Client) -> None:
    data = snapshot()
    answer = client.upload(data, "webp", webhook="http://169.254.169.254/latest")
    assert answer.status_code == 400
    assert answer.json()["message"] == "'webhook': The URL does not lead to a public address"
    assert not client.status(md5(data))


def test_the_tries_are_counted(server: Service, client: Client, receiver: Receiver) -> None:
    def counted(outcome: str) -> float:
        scraped = scrape(server.url, **{"x-api-key": SHOP_KEY})
        return total(scraped, "tinyimage_webhook_tries_total", outcome=outcome)

    before = counted("retried")
    receiver.answers = [500]
    data = snapshot()
    client.upload(data, "webp")
    receiver.of(md5(data), 2)
    until(lambda: counted("retried") == before + 1)
    assert counted("delivered")


def test_no_secret_is_in_redis_or_the_logs_and_no_token_in_the_logs(
    server: Service, client: Client, receiver: Receiver
) -> None:
    data = snapshot()
    client.upload(data, "webp", webhook=f"{receiver.url}/own?token={TOKEN}")
    receiver.of(md5(data), 2)
    secrets = [part for secret in (SECRET, OTHER_SECRET) for part in (secret, secret[6:])]
    with contextlib.closing(redis.Redis.from_url(server.redis_url)) as connection:
        kept = b"\n".join(_everything(connection))
    assert TOKEN.encode() in kept  # what is looked for would be found
    assert not [secret for secret in secrets if secret.encode() in kept]
    log = "".join(server.log)
    assert f"image.done {md5(data)} → 127.0.0.1" in log
    assert not [secret for secret in (*secrets, TOKEN) if secret in log]


def _everything(connection: Any) -> Iterator[bytes]:
    """All that Redis holds, decompressed where RQ compresses."""
    for key in connection.scan_iter():
        yield key
        match connection.type(key):
            case b"hash":
                for name, value in connection.hgetall(key).items():
                    yield name
                    yield value
                    with contextlib.suppress(zlib.error):
                        yield zlib.decompress(value)
            case b"string":
                yield connection.get(key)
            case b"stream":
                yield repr(connection.xrange(key)).encode()
            case b"list":
                yield from connection.lrange(key, 0, -1)
            case b"zset":
                yield from connection.zrange(key, 0, -1)
            case b"set":
                yield from connection.smembers(key)

"""`batch` at an upload: pictures that are counted, followed and packed together; and `widths`."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from websockets.sync.client import connect

from app.core.jobs import batches
from app.core.jobs.job import JobState
from app.core.picture.batch import MAX_MEMBERS, Batch, Member
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.redis.commands import ask
from bench.queue import PictureQueue
from imaging.formats import Format
from imaging.options import Options
from tests import rq_keys
from tests.hosts import Host, host
from tests.pictures import md5, opened, photograph, snapshot, unique
from tests.receiver import SECRET, Received, Receiver, receiver, webhook_settings
from tests.service import Client, Service, command, service, until
from tests.web.alone import Web, web
from tests.web.contract import Contract
from tests.web.keys import KEY, KEYS, OTHER


@pytest.fixture(scope="module")
def site() -> Iterator[Host]:
    with host() as running:
        yield running


@pytest.fixture(scope="module")
def hooks() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, hooks: Receiver) -> Iterator[Service]:
    endpoints = {"all": {"url": f"{hooks.url}/all", "secret": SECRET, "events": ["batch.done"]}}
    settings = {**webhook_settings(endpoints), "FETCH__ENABLED": "true", "AUTH__API_KEYS": KEYS}
    three = {"UPLOAD__MAX_CONCURRENT_TASKS": 3}
    with service(tmp_path_factory.mktemp("batches"), **settings, **three) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: Service) -> Iterator[Client]:
    client = Client(server.url)
    client.http.headers["X-API-Key"] = KEY
    with client.http:
        yield client


@pytest.fixture
def alone(redis_url: str, tmp_path: Path) -> Iterator[Web]:
    with web(tmp_path, redis_url) as running:
        yield running


def _name() -> str:
    return f"b-{os.urandom(6).hex()}"


def _counts(client: Client, name: str) -> tuple[int, int, int, int]:
    """Of a batch: all, unfinished, done and failed."""
    told = client.http.get(f"/batch/{name}?limit=0").json()
    return told["total"], told["unfinished"], told["done"], told["failed"]


def _done(hooks: Receiver, name: str, count: int = 1) -> list[Received]:
    """What has been told of the end of a batch, once it is so much."""

    def found() -> list[Received]:
        come = [each for each in list(hooks.received) if each.type == "batch.done"]
        return [each for each in come if each.data["batch"] == name]

    until(lambda: len(found()) >= count, what=f"batch.done of {name}")
    return found()


def test_a_batch_counts_and_lists_its_pictures_and_its_end_is_told(
    client: Client, hooks: Receiver, server: Service
) -> None:
    contract, name = Contract(server.url), _name()
    good = [snapshot() for _ in range(3)]
    decoders = server.freeze(3)
    try:
        for number, data in enumerate(good):
            path = f"beach/{number}.jpg"
            assert client.upload(data, "webp", filename=path, batch=name).status_code == 202
        bad = unique(photograph("astronaut")[:200])
        client.upload(bad, batch=name)
        client.upload(good[0], "webp", batch=name)  # once more, the same
        assert _counts(client, name) == (4, 4, 0, 0)
    finally:
        for decoder in decoders:
            decoder.resume()
    (told,) = _done(hooks, name)
    assert told.is_signed_by(SECRET)
    assert told.data == {"batch": name, "total": 4, "done": 3, "failed": 1}
    contract.validate(told.event, contract.component("BatchDone"))
    assert _counts(client, name) == (4, 0, 3, 1)
    listed = client.http.get(f"/batch/{name}?details=true")
    contract.check(listed)
    files = listed.json()["files"]
    assert [each["md5"] for each in files] == [md5(data) for data in (*good, bad)]
    assert [each["status"] for each in files] == ["done"] * 3 + ["failed"]
    assert client.http.get(f"/batch/{files[0]['download_url']}").status_code == 200
    page = client.http.get(f"/batch/{name}?offset=1&limit=2").json()["files"]
    assert page == client.http.get(f"/batch/{name}").json()["files"][1:3]
    # More are added: it is told again, with an event of its own.
    client.upload(snapshot(), batch=name)
    again = _done(hooks, name, 2)[1]
    assert again.data["total"] == 5
    assert again.id != told.id
    # And a picture that is done already.
    client.upload(good[1], "webp", batch=name)
    assert _done(hooks, name, 3)[2].data["total"] == 5


def test_an_archive_has_what_is_done_in_folders_and_leads_nowhere_else(client: Client) -> None:
    name = _name()
    data = [snapshot() for _ in range(4)]
    names = ["beach/a.jpg", "beach/a.jpg", "../../etc/passwd", "C:\\x\\b.png"]
    for each, filename in zip(data, names, strict=True):
        client.upload(each, "webp", filename=filename, batch=name)
    client.upload(unique(photograph("astronaut")[:200]), batch=name)
    until(lambda: _counts(client, name)[1] == 0, what="all have ended")
    answer = client.http.post("/archive", json={"batch": name})
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    found = archive.namelist()
    assert found[:2] == ["beach/a.webp", "beach/a (2).webp"]
    assert not [path for path in found if ".." in path or path.startswith("/") or ":" in path]
    for each, path in zip(data, found, strict=True):
        assert archive.read(path) == client.download(md5(each)).content


def test_wrong_archives_and_names_are_refused(client: Client, server: Service) -> None:
    contract = Contract(server.url)
    for body, status, code in (
        ({"batch": _name()}, 404, "not_found"),
        ({"batch": "../x"}, 400, "invalid_option"),
        ({"batch": ""}, 400, "invalid_option"),
        ({"batch": 5}, 400, "invalid_option"),
        ({"batch": "a", "files": []}, 400, "invalid_option"),
    ):
        refused = client.http.post("/archive", json=body)
        contract.check(refused)
        assert (refused.status_code, refused.json()["error"]) == (status, code), body
    for wrong in ("a/b", "é", "-a", "a" * 101, "a b"):
        refused = client.upload(photograph("rocket"), batch=wrong)
        contract.check(refused)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_option"), wrong
    for path, status in (
        (_name(), 404),
        ("%20a", 404),
        ("-", 404),
        (f"{_name()}?limit=1001", 400),
        (f"{_name()}?offset=x", 400),
        (f"{_name()}?details=maybe", 400),
    ):
        refused = client.http.get(f"/batch/{path}")
        contract.check(refused)
        assert refused.status_code == status, path


def test_a_key_does_not_see_the_batches_of_another(server: Service, client: Client) -> None:
    name, other = _name(), Client(server.url)
    other.http.headers["X-API-Key"] = OTHER
    data = snapshot()
    client.upload(data, batch=name)
    assert other.http.get(f"/batch/{name}").status_code == 404
    assert other.http.post("/archive", json={"batch": name}).status_code == 404
    other.upload(snapshot(), batch=name)
    other.upload(snapshot(), batch=name)
    assert _counts(other, name)[0] == 2
    assert _counts(client, name)[0] == 1


def test_a_socket_follows_a_batch_to_its_end(client: Client, server: Service) -> None:
    contract, name = Contract(server.url), _name()
    decoders = server.freeze(3)
    try:
        for _ in range(2):
            client.upload(snapshot(), batch=name)
        with connect(server.ws_url, additional_headers={"X-API-Key": KEY}) as ws:
            ws.send(json.dumps({"follow_batch": name}))
            told = [json.loads(ws.recv(timeout=60))]
            for decoder in decoders:
                decoder.resume()
            while told[-1]["unfinished"]:
                told.append(json.loads(ws.recv(timeout=60)))
            for given, code in (
                (_name(), "not_found"),
                ("", "invalid_option"),
                (5, "invalid_option"),
            ):
                ws.send(json.dumps({"follow_batch": given}))
                assert json.loads(ws.recv(timeout=60))["message"] == code
    finally:
        for decoder in decoders:
            decoder.resume()
    for each in told:
        contract.validate(each, contract.component("SocketBatch"))
    assert told[0] == {
        "status": "processing",
        **{"batch": name, "total": 2, "unfinished": 2, "done": 0, "failed": 0},
    }
    assert (told[-1]["status"], told[-1]["done"]) == ("done", 2)


def test_a_picture_by_its_url_counts_from_the_first_moment(
    client: Client, hooks: Receiver, site: Host
) -> None:
    name, data = _name(), snapshot()
    site.files["b.jpg"] = data
    for path in ("files/b.jpg", "status/404"):
        sent = {"url": f"{site.url}/{path}", "batch": name}
        assert client.http.post("/upload", json=sent).status_code == 202
    assert _counts(client, name)[0] >= 1
    told = _done(hooks, name)[-1]
    until(lambda: _counts(client, name) == (2, 0, 1, 1), what="both have ended")
    assert told.data["total"] <= 2
    done, failed = sorted(
        client.http.get(f"/batch/{name}").json()["files"], key=lambda e: "id" in e
    )
    assert (done["md5"], done["status"]) == (md5(data), "done")
    assert (failed["status"], failed["error"]["code"]) == ("failed", "source_not_found")


def test_pictures_of_a_socket_are_in_it(client: Client, server: Service) -> None:
    from tests.web.sockets import answers, message

    name = _name()
    with connect(server.ws_url, max_size=None, additional_headers={"X-API-Key": KEY}) as ws:
        ws.send(message(snapshot(), batch=name))
        assert answers(ws, 1)[-1]["status"] == "done"
    assert _counts(client, name) == (1, 0, 1, 0)


def test_many_at_once_over_two_servers_are_counted_right(
    redis_url: str, tmp_path: Path, connection: redis.Redis
) -> None:
    name, pictures = _name(), [snapshot() for _ in range(30)]
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    with web(tmp_path / "a", redis_url) as one, web(tmp_path / "b", redis_url) as two:

        def send(number: int) -> int:
            running = (one, two)[number % 2]
            return running.client.upload(pictures[number % 30], batch=name).status_code

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(send, range(90))) == {202}
        assert _counts(two.client, name) == (30, 30, 0, 0)
        # A withdrawn picture is gone from it.
        gone = snapshot()
        one.client.upload(gone, batch=name)
        assert _counts(two.client, name)[0] == 31
        one.client.http.delete(f"/status/{md5(gone)}")
        assert _counts(two.client, name) == (30, 30, 0, 0)
        assert one.troubles() == two.troubles() == []


def test_a_batch_lives_as_long_as_its_pictures(connection: redis.Redis, redis_url: str) -> None:
    queue = PictureQueue(connection, max_age_seconds=600, conversion_timeout=60)
    batch = Batch("holiday")
    jobs = [
        queue.submit(
            Conversion(os.urandom(16).hex(), Format.WEBP, 0, Options()),
            Submission("a", 1, member=Member(batch, "a")),
            token="0",
        )
        for _ in range(2)
    ]
    ids = [job.conversion.job_id for job in jobs if job]
    for id in ids:
        connection.hset(rq_keys.job(id), "status", "failed")
    queue.remove_where(ids[:1], lambda job: True)
    assert ask(connection, batches.count(batch)).total == 1
    (left,) = connection.keys("tinyimage:batches:*")
    assert str(left).rstrip("'").endswith(ids[1])
    assert 0 < connection.ttl(f"tinyimage:batch:{batch.id}") <= 600 + 3600 + 30 * 24 * 3600
    # Sent again, the other is unfinished again, whoever sends it.
    failed = queue.get(ids[1])
    assert failed is not None
    assert failed.state is JobState.FAILED
    queue.submit(failed.conversion, Submission("a", 1), token="1", replaces=failed)
    count = ask(connection, batches.count(batch))
    assert (count.total, count.unfinished, count.failed) == (1, 1, 0)
    connection.hset(rq_keys.job(ids[1]), "status", "failed")
    queue.remove_where(ids, lambda job: True)
    assert connection.keys("tinyimage:batch*") == []


def test_a_batch_of_ten_thousand_hurts_nobody_and_takes_no_more(
    alone: Web, connection: redis.Redis
) -> None:
    queue = PictureQueue(connection, max_age_seconds=600, conversion_timeout=60)
    batch = Batch("large")
    job = queue.submit(
        Conversion(os.urandom(16).hex(), Format.WEBP, 0, Options()),
        Submission("a", 1, member=Member(batch, "a")),
        token="0",
    )
    assert job is not None
    key = f"tinyimage:batch:{batch.id}"
    fields = connection.hgetall(rq_keys.job(job.conversion.job_id))
    with connection.pipeline() as pipe:
        for number in range(MAX_MEMBERS - 1):
            id = f"{number:032x}-webp-0"
            pipe.zadd(key, {id: 2e9 + number})
            pipe.sadd(f"{key}:open", id)
            if number % 10 == 0:
                pipe.hset(rq_keys.job(id), mapping=dict(fields.items()))
        pipe.execute()
    connection.config_resetstat()
    assert _counts(alone.client, "large") == (MAX_MEMBERS, MAX_MEMBERS, 0, 0)
    listed = alone.client.http.get("/batch/large?limit=1000&offset=9000").json()["files"]
    assert len(listed) == 100
    refused = alone.client.upload(snapshot(), batch="large")
    assert (refused.status_code, refused.json()["error"]) == (413, "size_exceeded")
    # What is in it already is taken as ever.
    slow = [int(each["duration"]) for each in connection.slowlog_get(50)]
    # Microseconds. A look at each of 10,000 takes seconds; what else the machine does counts too.
    assert not [each for each in slow if each > 1_000_000], slow


def test_widths_make_a_picture_of_each_and_none_larger_than_it_is(
    client: Client, server: Service
) -> None:
    contract, data = Contract(server.url), snapshot()  # 120 × 80
    name = _name()
    fields = {"widths": "1280, 60,120,3000,60", "q": "60", "batch": name}
    sent = client.upload(data, "jpg", **fields)
    contract.check(sent)
    answer = sent.json()
    assert sent.status_code == 202
    assert [each["width"] for each in answer["images"]] == [60, 120]
    assert {each["type"] for each in answer["images"]} == {"image/jpeg"}
    until(lambda: _counts(client, name) == (2, 0, 2, 0), what="both are done")
    for candidate, image in zip(answer["srcset"].split(", "), answer["images"], strict=True):
        url, width = candidate.split(" ")
        assert (url, width) == (image["url"], f"{image['width']}w")
        result = client.http.get(f"/{url}")
        assert opened(result.content).width == image["width"]
    again = client.upload(data, "jpg", **fields)
    contract.check(again)
    assert again.status_code == 200
    assert {each["status"] for each in again.json()["images"]} == {"done"}


def test_the_width_of_a_picture_is_that_as_it_is_shown(client: Client) -> None:
    from PIL import Image

    plain = opened(snapshot())
    for orientation, width in ((3, 120), (6, 80)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = io.BytesIO()
        plain.save(file, "JPEG", exif=exif)
        answer = client.upload(unique(file.getvalue()), "webp", widths="9000").json()
        assert [each["width"] for each in answer["images"]] == [width]
        client.wait(answer["md5"])
        assert opened(client.http.get(f"/{answer['images'][0]['url']}").content).width == width


@pytest.mark.parametrize(
    "fields",
    [
        {"widths": "wide"},
        {"widths": "0"},
        {"widths": "100,"},
        {"widths": ",".join(map(str, range(1, 23)))},
        {"widths": "100", "width": "50"},
        {"widths": "100", "height": "50"},
        {"widths": "100", "fit": "cover"},
        {"widths": "100,500", "trim": "10"},
        {"widths": "100,500", "max_bytes": "20K"},
    ],
)
def test_wrong_widths_are_refused(client: Client, fields: dict[str, str]) -> None:
    refused = client.upload(photograph("rocket"), **fields)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_option"), fields


def test_a_picture_by_its_url_comes_in_widths_too(client: Client, site: Host) -> None:
    site.files["wide.jpg"] = snapshot()
    sent = {"url": f"{site.url}/files/wide.jpg", "widths": [50, 60], "format": "png"}
    id = client.http.post("/upload", json=sent).json()["id"]
    jobs = client.http.get(f"/status/{id}?wait=60").json()
    assert sorted(job["options"]["width"] for job in jobs) == [50, 60]
    assert {job["status"] for job in jobs} == {"done"}


def test_counts_hold_over_workers_that_are_killed(tmp_path: Path) -> None:
    name = _name()
    with service(tmp_path, UPLOAD__MAX_CONCURRENT_TASKS=2) as running:
        client = Client(running.url)
        decoders = running.freeze(2)
        for _ in range(4):
            client.upload(snapshot(), batch=name)
        assert _counts(client, name) == (4, 4, 0, 0)
        for process in running.family():
            if "-m workers: " in command(process):
                process.kill()
        del decoders
        until(lambda: _counts(client, name) == (4, 0, 4, 0), 90, "all are done")

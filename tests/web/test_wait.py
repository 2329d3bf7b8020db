"""A status that is answered when the picture has ended."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis

from app.core.jobs.events import Step, publish
from tests.conftest import running_redis
from tests.pictures import md5, photograph, snapshot, unique
from tests.scrape import scrape, total
from tests.service import NO_TLS, Client, Service, until
from tests.web.alone import Web, answer, fail, send, web
from tests.web.contract import Contract

NOBODY = "0" * 32
MANY = 500


def _states(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [entry["status"] for entry in response.json()]


def _in_flight(running: Web) -> float:
    return total(scrape(running.url), "tinyimage_http_requests_in_flight")


def _until_waiting(running: Web, count: int) -> None:
    """Wait until so many requests are under way, beside the one that asks."""
    until(lambda: _in_flight(running) == count + 1, what=f"{count} wait")


@contextlib.contextmanager
def _later(running: Web, path: str, **headers: str) -> Iterator[Future[httpx.Response]]:
    """The answer to a request that is under way by then."""
    with (
        ThreadPoolExecutor(1) as pool,
        httpx.Client(base_url=running.url, timeout=60, verify=NO_TLS) as http,
    ):
        asked = pool.submit(http.get, path, headers=headers)
        _until_waiting(running, 1)
        assert not asked.done()
        yield asked


def test_the_answer_comes_when_every_conversion_is_done(server: Service, client: Client) -> None:
    decoders = server.freeze(3)
    data = snapshot()
    for format in ("webp", "jpg"):
        client.upload(data, format)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.http.get, f"/status/{md5(data)}?wait=60&details=true")
        now = _states(Client(server.url).http.get(f"/status/{md5(data)}?wait=0"))
        assert set(now) <= {"queued", "processing"}
        assert not asked.done()
        for decoder in decoders:
            decoder.resume()
        assert _states(asked.result()) == ["done", "done"]
    assert all("result_bytes" in entry for entry in asked.result().json())
    Contract(server.url).check(asked.result())


def test_the_answer_comes_when_the_picture_has_failed(client: Client) -> None:
    data = unique(photograph("astronaut")[:200])
    assert client.upload(data).status_code == 202
    assert _states(client.http.get(f"/status/{md5(data)}?wait=60")) == ["failed"]


def test_after_that_many_seconds_the_answer_says_how_far_it_is(alone: Web) -> None:
    picture = send(alone.client)
    began = time.monotonic()
    assert _states(alone.client.http.get(f"/status/{picture}?wait=1")) == ["queued"]
    assert time.monotonic() - began >= 1
    assert alone.client.http.head(f"/status/{picture}?wait=1").content == b""
    assert time.monotonic() - began >= 2


def test_a_conversion_that_is_asked_for_meanwhile_is_waited_for_too(
    alone: Web, connection: redis.Redis
) -> None:
    data = snapshot()
    picture = md5(data)
    alone.client.upload(data)
    with _later(alone, f"/status/{picture}?wait=60") as asked:
        alone.client.upload(data, "png")
        fail(connection, picture)
        fail(connection, picture, "png-0")
        assert _states(asked.result()) == ["failed", "failed"]


def test_a_preference_is_followed_and_the_answer_says_so(alone: Web) -> None:
    picture = send(alone.client)
    began = time.monotonic()
    headers = [("Prefer", "respond-async"), ("Prefer", 'return=minimal, Wait="1"; x=2, wait=60')]
    response = alone.client.http.get(f"/status/{picture}", headers=headers)
    assert _states(response) == ["queued"]
    assert response.headers["Preference-Applied"] == "wait=1"
    assert time.monotonic() - began >= 1
    Contract(alone.url).check(response)
    # The query counts more.
    response = alone.client.http.get(f"/status/{picture}?wait=0", headers={"Prefer": "wait=60"})
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize("wrong", ["", "61", "-1", "1.5", "soon", "wait", "٣", "1" * 5000])
def test_a_wrong_wait_is_refused_in_the_query_and_passed_over_in_the_header(
    client: Client, wrong: str
) -> None:
    data = snapshot()
    client.upload(data)
    refused = client.http.get(f"/status/{md5(data)}", params={"wait": wrong})
    if wrong:
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_option"
        assert "a whole number of seconds from 0 to 60" in refused.json()["message"]
    passed_over = client.http.get(
        f"/status/{md5(data)}", headers={b"Prefer": f"wait={wrong}".encode()}
    )
    assert passed_over.status_code == 200
    assert "Preference-Applied" not in passed_over.headers


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_unknown_picture_is_not_found_at_once(client: Client, method: str) -> None:
    began = time.monotonic()
    assert client.http.request(method, f"/status/{NOBODY}?wait=60").status_code == 404
    assert time.monotonic() - began < 30


def test_many_who_wait_cost_no_thread_and_ask_redis_nothing(
    alone: Web, connection: redis.Redis
) -> None:
    pictures = [send(alone.client) for _ in range(5)]
    threads = alone.process().num_threads()
    with contextlib.ExitStack() as stack:
        waiting: list[socket.socket] = []
        for number in range(MANY):
            client = stack.enter_context(alone.connection())
            picture = pictures[number % len(pictures)]
            client.sendall(f"GET /status/{picture}?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            waiting.append(client)
        _until_waiting(alone, MANY)
        # One more look at each: what the last of them has asked is answered by then.
        for picture in pictures:
            alone.client.status(picture)
        before = connection.info("commandstats")
        for picture in pictures:
            publish(connection, f"{picture}-webp-0", Step.PROCESSING)  # ends nobody's wait
        time.sleep(3)
        after = connection.info("commandstats")
        asked = {
            name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"] for name in after
        }
        assert asked.pop("cmdstat_publish") == len(pictures)
        assert sum(asked.values()) <= 5, asked  # the two looks at it, and a ping
        assert alone.process().num_threads() <= threads + 4
        for picture in pictures:
            fail(connection, picture)
        assert [answer(client)[0] for client in waiting] == [200] * MANY
    assert not alone.troubles()


def test_a_client_that_goes_away_leaves_nothing_behind(alone: Web) -> None:
    picture = send(alone.client)
    with alone.connection() as client:
        client.sendall(f"GET /status/{picture}?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        _until_waiting(alone, 1)
    _until_waiting(alone, 0)
    assert not alone.troubles()


def test_who_waits_while_redis_is_started_again_is_answered(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    with (
        running_redis(tmp_path / "redis") as embedded,
        web(tmp_path / "web", embedded.url) as running,
    ):
        picture = send(running.client)
        with _later(running, f"/status/{picture}?wait=60") as asked:
            assert embedded.process is not None
            embedded.process.kill()
            embedded.process.wait()
            assert running.client.http.get(f"/status/{picture}").status_code == 503
            embedded.start()
            with contextlib.closing(redis.Redis.from_url(embedded.url)) as connection:
                fail(connection, picture)
            assert _states(asked.result()) == ["failed"]


def test_who_waits_as_the_server_stops_is_told_what_is_known(
    redis_url: str, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url) as running:
        picture = send(running.client)
        with _later(running, f"/status/{picture}?wait=60") as asked:
            running.send_signal(signal.SIGTERM)
            assert _states(asked.result()) == ["queued"]
        assert running.wait() == 0
        assert not running.troubles()

"""The Tinify API where something is missing: time, workers, Redis, results, what a key may have."""

from __future__ import annotations

import base64
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import redis

from app.core.jobs import keys
from app.core.picture.priority import Priority
from bench.launch import free_port
from tests import rq_keys
from tests.conftest import running_redis
from tests.pictures import md5, photograph, snapshot, unique
from tests.service import NO_TLS, Client, Process, environment, service, until
from tests.web.alone import web
from tests.web.keys import KEY, KEYS, OTHER
from tests.web.wordmark import wordmark

AUTH = {"Authorization": f"Basic {base64.b64encode(f'api:{KEY}'.encode()).decode()}"}
OTHER_AUTH = {"Authorization": f"Basic {base64.b64encode(f'x:{OTHER}'.encode()).decode()}"}

MEGABYTE = 1024**2


def _shrink(url: str, data: bytes, headers: dict[str, str] = AUTH) -> httpx.Response:
    return httpx.post(f"{url}/shrink", content=data, headers=headers, timeout=90, verify=NO_TLS)


def _queued(connection: redis.Redis) -> int:
    return connection.llen(rq_keys.queue(Priority.INTERACTIVE))


def test_what_is_not_ready_in_time_is_503_and_its_repeat_finds_the_same_job(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    data = snapshot()
    with web(tmp_path, redis_url, TINIFY__WAIT=1) as running:
        for _ in range(2):
            began = time.monotonic()
            response = _shrink(running.url, data)
            assert response.status_code == 503
            assert time.monotonic() - began < 10
            assert response.json()["error"] == "Service unavailable"
            assert int(response.headers["retry-after"]) > 0
            assert response.headers["compression-count"] == "0"
            assert _queued(connection) == 1
        assert len(running.client.status(md5(data))) == 1
        # The line of the log says whose picture it was, as for any upload.
        until(lambda: len(running.access(path="/shrink")) == 2, what="two lines")
        line = running.access(path="/shrink")[0]
        assert (line["md5"], line["outcome"]) == (md5(data), "still_processing")
    assert running.troubles() == []


def test_a_picture_whose_conversion_was_ended_is_503_and_its_repeat_is_tried_again(
    redis_url: str, tmp_path: Path
) -> None:
    data = snapshot()
    with service(
        tmp_path,
        REDIS__URL=redis_url,
        AUTH__API_KEYS=KEYS,
        LIMITS__CONVERSION_TIMEOUT=2,
        UPLOAD__MAX_CONCURRENT_TASKS=2,  # the next decoder may take as long to start
    ) as running:
        decoders = running.freeze(2)
        response = _shrink(running.url, data)
        assert response.status_code == 503, response.text
        assert response.json() == {
            "error": "Service unavailable",
            "message": "the conversion took longer than 2 s",
        }
        assert int(response.headers["retry-after"]) > 0
        assert response.headers["compression-count"] == "0"
        for decoder in decoders:
            with contextlib.suppress(psutil.NoSuchProcess):
                decoder.resume()
        # Where much else runs, the next decoder does not start within the two seconds either.
        until(lambda: _shrink(running.url, data).status_code == 201, 60)


def test_many_who_wait_cost_little_memory_and_no_thread_and_are_told_when_the_server_stops(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    with web(tmp_path, redis_url, TINIFY__WAIT=60) as running, ThreadPoolExecutor(200) as pool:
        # Once, so that what the first request loads is not counted.
        pool.submit(_shrink, running.url, unique(photograph("rocket")))
        until(lambda: _queued(connection) == 1)
        before, threads = running.process().memory_info().rss, running.process().num_threads()
        waiting = [
            pool.submit(_shrink, running.url, unique(photograph("rocket"))) for _ in range(199)
        ]
        until(lambda: _queued(connection) == 200, 60, "all of them wait")
        used = running.process().memory_info().rss - before
        print(f"199 more waiting requests: {used / MEGABYTE:.1f} MB")
        assert used < 60 * MEGABYTE
        # What writes to the storage is bounded, however many wait.
        assert running.process().num_threads() < threads + 40
        running.terminate()
        answers = [future.result() for future in waiting]
    assert {answer.status_code for answer in answers} == {503}
    assert running.troubles() == []


def test_a_key_has_so_many_compressions_a_month_and_no_more(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    with service(
        tmp_path, REDIS__URL=redis_url, AUTH__API_KEYS=KEYS, LIMITS__COMPRESSIONS=2
    ) as running:
        first = _shrink(running.url, wordmark())
        assert (first.status_code, first.headers["compression-count"]) == (201, "1")
        output = first.json()["output"]["url"]
        body = {"resize": {"width": 50}}
        assert httpx.post(output, json=body, headers=AUTH).headers["compression-count"] == "2"
        # An empty body is how clients ask whether a key is good.
        for refused in (
            _shrink(running.url, wordmark()),
            _shrink(running.url, b""),
            httpx.post(output, json=body, headers=AUTH),
        ):
            assert refused.status_code == 429
            assert refused.headers["compression-count"] == "2"
            assert refused.json() == {
                "error": "TooManyRequests",
                "message": "Your monthly limit has been exceeded.",
            }
        # What is there is handed out all the same, and other keys have their own.
        assert httpx.get(output, headers=AUTH).status_code == 200
        kept = httpx.post(output, json={"preserve": ["copyright"]}, headers=AUTH)
        assert (kept.status_code, kept.headers["compression-count"]) == (200, "2")
        assert _shrink(running.url, wordmark(), OTHER_AUTH).headers["compression-count"] == "1"
        told = httpx.get(f"{running.url}/keys/{KEY}").headers
        assert (told["paying-state"], told["compression-count-remaining"]) == ("free", "0")
        metrics = httpx.get(f"{running.url}/metrics", headers={"X-API-Key": KEY}).text
        assert 'tinyimage_tinify_compressions{key="shop"} 2.0' in metrics
        assert 'tinyimage_tinify_compressions{key="blog"} 1.0' in metrics
        names = [name.decode() for name in connection.scan_iter("tinyimage:compressions:*")]
        assert len(names) == 1
        assert connection.ttl(names[0]) > 31 * 24 * 3600


def test_an_output_outlives_its_job_and_its_result(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    with service(tmp_path, REDIS__URL=redis_url) as running:
        output = _shrink(running.url, wordmark()).json()["output"]["url"]
        plain = httpx.get(output).content
        for folder in ("originals", "results"):
            for path in running.stored(folder):
                path.unlink()
        for name in connection.scan_iter(rq_keys.job("*")):
            connection.delete(name)
        connection.delete(keys.picture_jobs(md5(wordmark())))
        assert httpx.get(output, timeout=60).content == plain
        smaller = httpx.post(output, json={"resize": {"width": 50}}, headers=AUTH, timeout=60)
        assert smaller.headers["image-width"] == "50"
        # Without the upload there is nothing to make it of.
        for folder in ("sources", "results"):
            for path in running.stored(folder):
                path.unlink()
        for answer in (
            httpx.get(output, timeout=60),
            httpx.post(output, json={"resize": {"width": 40}}, headers=AUTH, timeout=60),
        ):
            assert answer.status_code == 404
            assert answer.json()["message"] == "Resource not found or expired."
        # The same bytes are taken anew.
        again = _shrink(running.url, wordmark()).json()["output"]["url"]
        assert httpx.get(again).content == plain


def test_a_decoder_that_is_killed_in_the_middle_is_not_noticed(tmp_path: Path) -> None:
    data = snapshot()
    with (
        service(tmp_path, UPLOAD__MAX_CONCURRENT_TASKS=1) as running,
        ThreadPoolExecutor(1) as pool,
    ):
        (frozen,) = running.freeze(1)
        waiting = pool.submit(_shrink, running.url, data)
        with running.client().http as http:
            path = f"/status/{md5(data)}"
            until(lambda: "processing" in http.get(path).text, what="it is in work")
        frozen.kill()
        assert waiting.result().status_code == 201


def test_without_redis_every_answer_is_503_in_the_services_words(tmp_path: Path) -> None:
    port = free_port()
    with running_redis(tmp_path / "redis") as embedded:
        assert embedded.process is not None
        env = environment(tmp_path, port, REDIS__URL=embedded.url, TINIFY__WAIT=2)
        running = Process(["app", "web"], env)
        url = f"http://127.0.0.1:{port}"
        try:
            until(Client(url).answers, what="the web answers")
            embedded.process.kill()
            embedded.process.wait()
            for answer in (
                _shrink(url, wordmark()),
                _shrink(url, b""),
                httpx.get(f"{url}/output/{'a' * 32}"),
                httpx.post(f"{url}/output/{'a' * 32}", json={}, headers=AUTH),
                httpx.get(f"{url}/keys/any"),
            ):
                assert answer.status_code == 503
                assert answer.json()["error"] == "Service unavailable"
                assert int(answer.headers["retry-after"]) > 0
            embedded.start()
            assert _shrink(url, b"").json()["error"] == "InputMissing"
        finally:
            running.terminate()
    assert "Traceback" not in "".join(running.log)
    assert not [path for path in (tmp_path / "output").rglob("*") if path.is_file()]

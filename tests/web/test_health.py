"""/healthz and /readyz: whether the process lives, and whether a picture could be converted."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest
import redis

from imaging import look
from tests import rq_keys
from tests.conftest import running_redis
from tests.service import NO_TLS, Service, until
from tests.web.alone import Web, missing, web
from tests.workers.alone import workers

PATIENCE = 180
"""Seconds after which a start and some heartbeats count as failed, on the busiest machine."""


def says(running: Web, *names: str) -> bool:
    return set(missing(running)) == set(names)


def test_a_whole_server_is_ready(server: Service) -> None:
    with httpx.Client(base_url=server.url, verify=NO_TLS) as http:
        for path in ("/healthz", "/readyz"):
            response = http.get(path)
            assert (response.status_code, response.json()) == (200, {"status": "ok"})
            assert http.head(path).status_code == 200


def test_a_ready_server_tells_more_of_its_workers_to_who_asks(server: Service) -> None:
    with httpx.Client(base_url=server.url, verify=NO_TLS) as http:
        response = http.get("/readyz", params={"details": "true"})
        assert response.json()["details"]["look"] == [look.fastest_working()]
        assert response.json()["details"]["workers"] >= 1
        assert http.get("/readyz?details=no").json() == {"status": "ok"}
        assert http.get("/readyz?details=maybe").status_code == 400


def test_a_server_without_workers_says_so_until_one_is_there(
    tmp_path: Path, redis_url: str
) -> None:
    with web(tmp_path, redis_url) as running:
        assert missing(running) == {"workers": "no worker takes pictures"}
        with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1):
            until(lambda: says(running), what="ready")
        until(lambda: says(running, "workers"), what="not ready")


def test_workers_that_were_killed_are_missed(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url) as running:
        with workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=1) as process:
            until(lambda: says(running), what="ready")
            process.destroy()
        until(lambda: says(running, "workers"), 60, "not ready")


def test_workers_count_again_after_a_redis_that_was_away_for_longer_than_their_entries(
    tmp_path: Path, redis_url: str, connection: redis.Redis
) -> None:
    with (
        web(tmp_path, redis_url) as running,
        workers(tmp_path, redis_url, UPLOAD__MAX_CONCURRENT_TASKS=2),
    ):
        # Three processes start here, and heartbeats come every ten seconds: on a busy machine that
        # takes longer than what other tests wait for.
        until(lambda: connection.scard(rq_keys.WORKERS) == 3, PATIENCE, "the workers are there")
        until(lambda: says(running), PATIENCE, "ready")
        names = cast(set[bytes], connection.smembers(rq_keys.WORKERS))
        # What an outage leaves: the entries have expired, and one of the workers that came back
        # first has taken the others off the list.
        connection.delete(rq_keys.WORKERS, *names)
        until(
            lambda: connection.smembers(rq_keys.WORKERS) == names, PATIENCE, "all are on the list"
        )
        until(
            lambda: all(connection.hexists(name, "queues") for name in names),
            *(PATIENCE, "all have their entries"),
        )
        until(lambda: says(running), PATIENCE, "ready again")


def test_the_probes_need_no_key(tmp_path: Path, redis_url: str) -> None:
    with web(tmp_path, redis_url, AUTH__API_KEYS="a:0123456789abcdef") as running:
        assert running.client.http.get("/readyz").status_code == 503
        assert running.client.http.head("/readyz").status_code == 503
        assert running.client.http.get("/").status_code == 401


def test_a_redis_that_is_gone_or_hangs_is_named(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as store, web(tmp_path, store.url) as running:
        assert store.process is not None
        until(lambda: says(running, "workers"))
        store.process.send_signal(signal.SIGSTOP)
        until(lambda: says(running, "redis"))
        store.process.send_signal(signal.SIGCONT)
        until(lambda: says(running, "workers"))
        store.process.kill()
        until(lambda: says(running, "redis"))
        assert running.client.http.get("/healthz").status_code == 200
        store.process.wait()
        store.start()
        until(lambda: says(running, "workers"))


def test_a_hanging_redis_and_hundreds_of_probes_hold_one_thread(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as store, web(tmp_path, store.url) as running:
        assert store.process is not None
        until(lambda: says(running, "workers"))
        threads = psutil.Process(running.pid).num_threads()
        store.process.send_signal(signal.SIGSTOP)
        until(lambda: says(running, "redis"))
        answers: list[int] = []

        def probe() -> None:
            answers.append(
                httpx.get(f"{running.url}/readyz", timeout=30, verify=NO_TLS).status_code
            )

        probes = [threading.Thread(target=probe) for _ in range(100)]
        for thread in probes:
            thread.start()
        for thread in probes:
            thread.join()
        assert answers == [503] * 100
        assert psutil.Process(running.pid).num_threads() <= threads + 3
        store.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("how", ["gone", "hanging"])
def test_a_storage_that_fails_or_hangs_is_named(tmp_path: Path, redis_url: str, how: str) -> None:
    with web(tmp_path, redis_url) as running:
        until(lambda: says(running, "workers"))
        probe = tmp_path / "output/health/probe"
        if how == "gone":
            (tmp_path / "output").rename(tmp_path / "aside")
            (tmp_path / "output").touch()
            reason = "fails"
        else:
            probe.unlink()
            os.mkfifo(probe)  # whoever reads it waits
            reason = "does not answer"
        until(lambda: says(running, "workers", "storage"))
        assert missing(running)["storage"] == reason
        assert str(tmp_path) not in str(missing(running))
        if how == "gone":
            (tmp_path / "output").unlink()
            (tmp_path / "aside").rename(tmp_path / "output")
        else:
            # The one that hangs is freed; the next finds a file again.
            with probe.open("wb"):
                probe.unlink()
        until(lambda: says(running, "workers"))


def test_the_probe_of_the_storage_is_no_orphan_and_written_seldom(
    tmp_path: Path, redis_url: str
) -> None:
    with web(tmp_path, redis_url) as running:
        until(lambda: says(running, "workers"))
        before = (tmp_path / "output/health/probe").stat()
        for _ in range(20):
            assert says(running, "workers")
        after = (tmp_path / "output/health/probe").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_why_it_is_not_ready_is_logged_once(tmp_path: Path) -> None:
    with running_redis(tmp_path / "redis") as store, web(tmp_path, store.url) as running:
        assert store.process is not None
        until(lambda: says(running, "workers"))
        store.process.kill()
        until(lambda: says(running, "redis"))
        for _ in range(5):
            missing(running)

        def lines() -> list[dict[str, Any]]:
            return [line for line in running.lines() if line["logger"] == "app.web.http.health"]

        told = [line for line in until(lines) if line["level"] == "error"]
        assert len(told) == 1
        assert "Connect" in str(told) or "refused" in str(told) or "No such file" in str(told)

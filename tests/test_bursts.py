"""Processes that are killed in the middle of a burst, and a Redis that is gone for a while."""

from __future__ import annotations

import contextlib
import json
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest
import redis
from websockets.sync.client import connect

from bench.launch import free_port
from tests import rq_keys
from tests.conftest import running_redis
from tests.pictures import large, md5, opened, snapshot, unique
from tests.service import (
    Client,
    Process,
    Service,
    command,
    environment,
    is_decoder,
    is_redis,
    service,
    until,
)
from tests.web.sockets import answers, message

BURST = 200
OUTAGE_SECONDS = 20


def _of_role(server: Service, role: str) -> list[psutil.Process]:
    """The processes of a role."""
    family = server.family()
    if role == "decoder":
        return [p for p in family if is_decoder(p)]
    if role == "redis":
        return [p for p in family if is_redis(p)]
    if role == "worker":
        return [p for p in family if "-m workers: " in command(p)]
    if role == "web":  # and those that share its port
        return [p for p in family if "-m app web" in command(p)]
    raise ValueError(role)


def _kill_one(server: Service, role: str) -> psutil.Process:
    def killed() -> psutil.Process | None:
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            process = random.choice(_of_role(server, role))
            process.kill()
            return process
        return None

    process = until(killed, what=f"a {role} to kill")
    assert process is not None
    return process


def _taken(client: Client, data: bytes) -> str:
    """Send the picture until it is taken, as a client must while the server is hurt."""

    def taken() -> bool:
        try:
            response = client.upload(data, "jpg")
        except httpx.TransportError:
            return False
        assert response.status_code in (200, 202, 503), response.text
        if response.status_code == 503:
            assert int(response.headers["Retry-After"]) > 0
        return response.status_code != 503

    until(taken, 60, "the picture is taken")
    return md5(data)


@pytest.mark.parametrize("role", ["decoder", "worker", "web", "redis"])
def test_a_kill_9_in_the_middle_of_a_burst_of_200_loses_none(tmp_path: Path, role: str) -> None:
    small = large(160, 120)
    pictures = [unique(small) for _ in range(BURST)]
    with service(tmp_path, SERVER__PROCESSES=2, UPLOAD__MAX_CONCURRENT_TASKS=2) as server:
        # Workers: two, and that of the maintenance; web: two, and their parent.
        count = {"decoder": 2, "worker": 3, "web": 3}.get(role, 1)
        until(lambda: len(_of_role(server, role)) == count, what=f"{count} of {role}")
        client = Client(server.url)
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(_taken, Client(server.url), data) for data in pictures]
            until(lambda: len(server.stored("results")) > BURST // 10, what="some are done")
            killed = _kill_one(server, role)
            names = [task.result() for task in sent]

        def again() -> bool:
            pids = [p.pid for p in _of_role(server, role)]
            # A worker without a picture has no need of a decoder.
            return (role == "decoder" or len(pids) == count) and killed.pid not in pids

        until(again, 60, f"{count} of {role} again")
        for name in names:
            until(partial(_is_done, client, name), 60, f"{name} is done")
            opened(client.download(name).content)
        # One result each, also of those that were done twice.
        results = [path.name.split(".")[0] for path in server.stored("results")]
        assert sorted(results) == sorted(f"{name}-jpg-80" for name in names)


def _is_done(client: Client, name: str) -> bool:
    try:
        return [job["status"] for job in client.status(name)] == ["done"]
    except (httpx.TransportError, AssertionError):
        return False


def test_a_redis_that_is_gone_for_20_seconds_loses_nothing(tmp_path: Path) -> None:
    with (
        running_redis(tmp_path / "redis") as embedded,
        service(tmp_path, REDIS__URL=embedded.url, UPLOAD__MAX_CONCURRENT_TASKS=2) as server,
        connect(server.ws_url, max_size=None) as ws,
    ):
        client = Client(server.url)
        decoders = server.freeze(2)
        in_hand, waiting = (
            [snapshot() for _ in range(2)],
            [snapshot() for _ in range(5)],
        )
        for data in in_hand:
            ws.send(message(data))
        for _ in range(2 * len(in_hand)):
            assert json.loads(ws.recv(timeout=60))["status"] in ("queued", "processing")
        for data in waiting:
            assert client.upload(data).status_code == 202
        assert embedded.process is not None
        embedded.process.kill()
        embedded.process.wait()
        back_at = time.monotonic() + OUTAGE_SECONDS
        for decoder in decoders:
            decoder.resume()  # what it has done cannot be told to Redis
        refused = 0
        while time.monotonic() < back_at:
            response = client.upload(snapshot())
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
            refused += 1
            time.sleep(0.2)
        assert refused > OUTAGE_SECONDS  # none of them was kept waiting
        embedded.start()
        done = {answer["md5"] for answer in answers(ws, len(in_hand)) if answer["status"] == "done"}
        assert done == {md5(data) for data in in_hand}
        for data in waiting:
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        until(lambda: len(_of_role(server, "decoder")) == 2, what="all workers are there again")
        with redis.Redis.from_url(embedded.url) as connection:
            until(lambda: connection.scard(rq_keys.WORKERS) == 3, 120, "Redis knows of all workers")
        assert not [line for line in server.log if "app.web" in line and "Traceback" in line]


def test_a_hundred_uploads_to_a_redis_that_hangs_are_all_refused(tmp_path: Path) -> None:
    """Each waits in a thread of which there are few, and the client for a minute at most."""
    with service(tmp_path) as server:
        (redis_server,) = _of_role(server, "redis")
        redis_server.suspend()
        try:
            with ThreadPoolExecutor(100) as pool:
                send = [pool.submit(Client(server.url).upload, snapshot()) for _ in range(100)]
                assert {task.result().status_code for task in send} == {503}
        finally:
            redis_server.resume()
        client, data = Client(server.url), snapshot()
        until(lambda: client.upload(data).status_code == 202, what="it is taken again")
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]


@pytest.mark.parametrize("processes", [1, 2])
def test_signals_that_come_one_upon_the_other_stop_the_web_without_a_traceback(
    redis_url: str, tmp_path: Path, processes: int
) -> None:
    """As when a platform signals every process, and a supervisor the first. The upload in hand is
    finished, and later ones are refused."""
    port = free_port()
    env = environment(tmp_path, port, REDIS__URL=redis_url, SERVER__PROCESSES=processes)
    web = Process(["app", "web"], env)
    client = Client(f"http://127.0.0.1:{port}")
    until(client.answers, what="the web answers")
    client.http.close()

    def signal_all() -> None:
        for process in web.family():
            for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(sig)

    data = snapshot()
    form = httpx.Request("POST", "http://x/upload", files={"picture": ("cat.jpg", data)})
    body = form.read()
    half = len(body) // 2

    def slowly() -> Iterator[bytes]:
        yield body[:half]
        signal_all()
        until(lambda: not _listens(port), what="new ones are refused")
        signal_all()
        yield body[half:]

    headers = {"Content-Type": form.headers["Content-Type"], "Content-Length": str(len(body))}
    response = httpx.post(
        f"http://127.0.0.1:{port}/upload", content=slowly(), headers=headers, timeout=60
    )
    assert response.status_code == 202
    assert web.wait() == 0
    assert not [line for line in web.log if "Traceback" in line or "Error" in line]


def _listens(port: int) -> bool:
    try:
        httpx.get(f"http://127.0.0.1:{port}/", timeout=10)
    except httpx.TransportError:
        return False
    return True

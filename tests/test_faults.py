"""Faults in the middle of work: what was accepted is done, and what waits is told."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import httpx
import psutil
from websockets.sync.client import connect

from app.core.storage.files import FileStorage
from bench.launch import free_port
from tests.conftest import running_redis
from tests.pictures import md5, opened, snapshot
from tests.service import Client, Process, Service, command, environment, is_redis, service, until
from tests.storage import Blocking
from tests.web.sockets import answers, message
from workers.cleanup import ORPHAN_SECONDS


def _web_processes(server: Service) -> list[psutil.Process]:
    """The ones that serve; the one without a number watches over them."""
    return [p for p in server.family() if "-m app web: " in command(p)]


def test_one_of_several_web_processes_that_is_killed_is_started_again(tmp_path: Path) -> None:
    with service(tmp_path, SERVER__PROCESSES=2) as server:
        first, second = _web_processes(server)
        first.kill()

        def replaced() -> bool:
            pids = {process.pid for process in _web_processes(server)}
            return len(pids) == 2 and second.pid in pids and first.pid not in pids

        until(replaced, what="two web processes again")
        for _ in range(6):
            data = snapshot()
            client = Client(server.url)
            assert client.upload(data).status_code == 202
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]


def test_a_socket_that_waits_while_redis_hangs_is_told_afterwards(tmp_path: Path) -> None:
    with (
        service(tmp_path, UPLOAD__MAX_CONCURRENT_TASKS=1) as server,
        connect(server.ws_url, max_size=None) as ws,
    ):
        (decoder,) = server.freeze(1)
        data = snapshot()
        ws.send(message(data))
        for status in ("queued", "processing"):
            assert json.loads(ws.recv(timeout=60))["status"] == status
        (redis_server,) = (p for p in server.family() if is_redis(p))
        redis_server.suspend()
        try:
            client = Client(server.url)
            refused = client.upload(snapshot())
            assert refused.status_code == 503
            assert int(refused.headers["Retry-After"]) > 0
            decoder.resume()
        finally:
            redis_server.resume()
        assert answers(ws, 1)[0]["status"] == "done"
        assert not [line for line in server.log if "Traceback" in line]


def test_a_rolling_restart_under_a_stream_of_uploads_loses_none(tmp_path: Path) -> None:
    """Two web and two worker processes, each ended by SIGTERM and started anew, one by one."""
    with running_redis(tmp_path / "redis") as embedded:
        ports = [free_port(), free_port()]

        def start(number: int) -> Process:
            roles = (["app", "web"], ["app", "web"], ["workers"], ["workers"])
            env = environment(
                tmp_path,
                ports[number % 2],
                REDIS__URL=embedded.url,
                UPLOAD__MAX_CONCURRENT_TASKS=1,
            )
            return Process(roles[number], env)

        processes = [start(number) for number in range(4)]
        clients = [Client(f"http://127.0.0.1:{port}") for port in ports]
        accepted: list[str] = []

        def send() -> None:
            """To the one server or, as a load balancer would, to the other."""
            data = snapshot()
            for client in clients:
                try:
                    response = client.upload(data)
                except httpx.TransportError:
                    continue
                if response.status_code == 202:
                    accepted.append(md5(data))
                    return
            raise AssertionError("neither server took the picture")

        try:
            for client in clients:
                until(client.answers, what="the web answers")
            for number in range(4):
                for _ in range(5):
                    send()
                assert processes[number].terminate() == 0
                for _ in range(5):
                    send()
                processes[number] = start(number)
                if number < 2:
                    until(clients[number].answers, what="the web answers again")
            assert len(accepted) == 40
            for name in accepted:
                assert [job["status"] for job in clients[0].wait(name)] == ["done"]
                opened(clients[0].download(name).content)
        finally:
            for process in processes:
                process.terminate()


def test_what_a_killed_writer_has_staged_is_swept(tmp_path: Path) -> None:
    storage = Blocking(FileStorage(tmp_path))
    storage.put("originals/aa/whole", b"picture")
    old, young = tmp_path / "originals/aa/half#1", tmp_path / "originals/aa/half#2"
    for path in (old, young):
        path.write_bytes(b"half a pic")
    os.utime(old, (time.time() - ORPHAN_SECONDS - 60,) * 2)
    assert storage.delete_staged(ORPHAN_SECONDS) == (1, 10)
    assert sorted(path.name for path in (tmp_path / "originals/aa").iterdir()) == [
        "half#2",
        "whole",
    ]
    assert storage.get("originals/aa/whole") == b"picture"

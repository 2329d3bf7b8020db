"""The Procfile under honcho, and as dynos: started, killed, scaled and stopped as by Heroku."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import redis
from honcho.environ import parse_procfile
from rq import Worker
from rq.worker import BaseWorker

from app.core.jobs.keys import PICTURE_QUEUES
from bench.launch import ROOT, free_port
from tests import rq_keys
from tests.deploy.conftest import LOOPBACK, ONE_TASK
from tests.deploy.containers import Container
from tests.pictures import md5, snapshot
from tests.service import Client, command, is_decoder, until

PROCFILE = ROOT / "Procfile"

HONCHO_TERMINATED = 143
"""honcho's own status after SIGTERM."""

HEROKU_SECONDS = 30
"""What Heroku gives a dyno from SIGTERM to SIGKILL."""

START_SECONDS = 60.0
"""How long a process type may take to start on a machine with much else to do: honcho, a shell and
Python, each with its imports, and a decoder after them."""

ABANDONED_SECONDS = 40.0
"""How long a picture may wait after its worker's death: 16 s until it counts as abandoned, 5 s
until the next worker looks, and the rest for a machine with much else to do."""


def two_free_ports() -> int:
    """The first of two neighbouring ports: honcho gives the second web the next one."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + 1))
            return port


@dataclass(frozen=True, slots=True)
class Platform:
    """A place that starts the process types of the Procfile."""

    folder: Path
    port: int
    redis_url: str
    connection: redis.Redis
    client: Client
    opened: contextlib.ExitStack

    @property
    def values(self) -> dict[str, str]:
        return {
            **LOOPBACK,
            **ONE_TASK,
            "PORT": str(self.port),
            "REDIS_URL": self.redis_url,
            "TINYIMAGE_SERVER__OUTPUT_DIR": str(self.folder / "output"),
        }

    def honcho(self, *arguments: str) -> Container:
        """`honcho start …`."""
        honcho = ["python", "-m", "honcho", "start", "--no-colour", "-f", str(PROCFILE)]
        return self.opened.enter_context(Container([*honcho, *arguments], ROOT, self.values))

    def dyno(self, process_type: str) -> Container:
        """One process type by itself: started by a shell, as on Heroku."""
        line = parse_procfile(PROCFILE.read_text()).processes[process_type]
        return self.opened.enter_context(Container(["sh", "-c", line], ROOT, self.values))

    def workers(self) -> list[BaseWorker]:
        """Those of pictures that Redis knows."""
        found = Worker.all(connection=self.connection)
        return [worker for worker in found if set(worker.queue_names()) & set(PICTURE_QUEUES)]

    def worker_pids(self) -> set[int]:
        return {worker.pid for worker in self.workers() if worker.pid}

    def ready(self, workers: int = 1) -> None:
        """Wait until uploads are taken, workers wait for them, and the scheduler works."""
        cleanup = rq_keys.job("cleanup")
        until(self.client.answers, START_SECONDS, "the web answers")
        until(lambda: len(self.worker_pids()) >= workers, START_SECONDS, "the workers wait")
        until(lambda: self.connection.exists(cleanup), START_SECONDS, "the scheduler works")

    def send(self, client: Client | None = None) -> str:
        """Have a picture taken. Returns its MD5."""
        picture = snapshot()
        assert (client or self.client).upload(picture).status_code == 202
        return md5(picture)

    def status(self, picture: str) -> list[str]:
        return [job["status"] for job in self.client.status(picture)]

    def finish(self, picture: str) -> None:
        """Wait until the picture is done, and download it."""
        jobs = self.client.wait(picture, START_SECONDS + ABANDONED_SECONDS)
        assert [job["status"] for job in jobs] == ["done"]
        assert self.client.download(picture).status_code == 200


@pytest.fixture
def platform(tmp_path: Path, empty_redis: str) -> Iterator[Platform]:
    port = two_free_ports()
    with contextlib.ExitStack() as opened:
        connection = opened.enter_context(contextlib.closing(redis.Redis.from_url(empty_redis)))
        client = Client(f"http://127.0.0.1:{port}")
        opened.enter_context(client.http)
        yield Platform(tmp_path, port, empty_redis, connection, client, opened)


def decoder_of(container: Container) -> psutil.Process:
    """The one decoder that runs in it, when it is up."""

    def found() -> psutil.Process | None:
        decoders = [process for process in container.family() if is_decoder(process)]
        return decoders[0] if len(decoders) == 1 else None

    decoder = until(found, what="a decoder")
    assert decoder is not None
    return decoder


def hold(platform: Platform, container: Container) -> tuple[psutil.Process, str]:
    """Have the one worker take a picture that it does not get done with. Returns its decoder, which
    is stopped, and the picture's MD5."""
    decoder = decoder_of(container)
    decoder.suspend()
    picture = platform.send()
    until(lambda: platform.status(picture) == ["processing"], what="a picture in hand")
    return decoder, picture


def ended(processes: list[psutil.Process]) -> Callable[[], bool]:
    return lambda: not any(process.is_running() for process in processes)


def test_honcho_starts_all_takes_a_picture_and_stops_all(platform: Platform) -> None:
    honcho = platform.honcho()
    platform.ready()
    platform.finish(platform.send())
    family = honcho.family()
    honcho.request_stop()
    assert honcho.wait(30) == HONCHO_TERMINATED
    until(ended(family), what="all have ended")
    # Not the worker's: honcho signals each process of it at once, after which it may wait for
    # Redis for another 5 s, and that is when honcho kills.
    for name in ("web.1", "scheduler.1"):
        assert f"{name} stopped (rc=0)" in honcho.log


def test_a_killed_worker_is_started_again_and_its_picture_is_done(platform: Platform) -> None:
    honcho = platform.honcho()
    platform.ready()
    _, picture = hold(platform, honcho)
    (killed,) = platform.worker_pids()
    psutil.Process(killed).kill()
    platform.finish(picture)
    assert honcho.running(), "it has not seen any of its own processes end"
    until(lambda: platform.worker_pids() - {killed}, what="another worker")


def test_the_picture_of_a_worker_process_that_is_killed_is_done_by_the_next(
    platform: Platform,
) -> None:
    """A dyno that crashes: the others go on, and the platform starts it again."""
    others = platform.honcho("web", "scheduler")
    worker = platform.honcho("worker")
    platform.ready()
    _, picture = hold(platform, worker)
    waiting = platform.send()
    family = worker.family()
    workers = [process for process in family if command(process).endswith("-m workers")]
    (pool,) = [process for process in workers if process.parent() not in workers]
    pool.kill()
    worker.wait(30)
    until(ended(family), what="nothing of it is left")
    assert others.running()
    assert platform.status(waiting) == ["queued"]
    platform.honcho("worker")
    for each in (picture, waiting):
        platform.finish(each)


def test_scaled_to_two_each_web_takes_pictures_and_each_worker_does_some(
    platform: Platform,
) -> None:
    honcho = platform.honcho("--concurrency", "web=2,worker=2,scheduler=1")
    platform.ready(workers=2)
    second = Client(f"http://127.0.0.1:{platform.port + 1}")
    with second.http:
        until(second.answers, what="the second web answers")
        pictures = [platform.send(client) for client in (platform.client, second) * 2]
        for picture in pictures:
            platform.finish(picture)  # the first knows of the second's too
            assert second.download(picture).status_code == 200

        def busy() -> bool:
            platform.send()
            return len([w for w in platform.workers() if w.successful_job_count]) == 2

        until(busy, what="both workers have converted some")
    family = honcho.family()
    honcho.request_stop()
    assert honcho.wait(30) == HONCHO_TERMINATED
    until(ended(family), what="all have ended")
    assert [line for line in honcho.log.splitlines() if "stopped (rc=0)" in line and "web" in line]


def test_web_concurrency_is_taken_as_heroku_sets_it(platform: Platform) -> None:
    """Several processes on one port; Heroku's Python buildpack sets it to 2 to 33 by itself."""
    line = parse_procfile(PROCFILE.read_text()).processes["web"]
    values = {**platform.values, "WEB_CONCURRENCY": "2"}
    web = platform.opened.enter_context(Container(["sh", "-c", line], ROOT, values))
    until(platform.client.answers, what="the web answers")
    assert len(web.family()) == 3, "one that starts the others again, and two"
    web.request_stop()
    assert web.wait(HEROKU_SECONDS) == 0


def test_sigterm_to_every_process_of_every_dyno_at_once_loses_no_picture(
    platform: Platform,
) -> None:
    """What Heroku does at each deploy, and each day."""
    dynos = {name: platform.dyno(name) for name in ("web", "worker", "scheduler")}
    platform.ready()
    decoder, in_hand = hold(platform, dynos["worker"])
    pictures = [in_hand, *(platform.send() for _ in range(5))]
    family = [process for dyno in dynos.values() for process in dyno.family()]
    for process in family:
        process.send_signal(signal.SIGTERM)
    decoder.resume()
    for name, dyno in dynos.items():
        assert dyno.wait(HEROKU_SECONDS) == 0, f"{name}:\n{dyno.log}"
        assert "Traceback" not in dyno.log
    until(ended(family), what="all have ended")
    for name in dynos:
        platform.dyno(name)
    platform.ready()
    for picture in pictures:
        platform.finish(picture)

"""Which picture is next, and that none is lost between a queue and a worker."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
import redis
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.jobs import keys
from app.core.jobs.queue.places import STREAK
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from bench.queue import PictureQueue
from imaging.formats import Format
from tests import rq_keys
from tests.pictures import md5, snapshot
from tests.service import Client, Process, environment, service, until
from tests.web.alone import web as web_alone
from workers.cleanup import ORPHAN_SECONDS
from workers.dequeue import Precedence, SafeQueue
from workers.maintenance import maintain
from workers.scheduler import CleanupScheduler
from workers.worker import PictureWorker


@contextlib.contextmanager
def pool(folder: Path, redis_url: str, *arguments: str, **settings: Any) -> Iterator[Process]:
    """`python -m workers`."""
    env = environment(folder, REDIS__URL=redis_url, ENGINE__EFFORT="fast", **settings)
    process = Process(["workers", *arguments], env)
    try:
        yield process
    finally:
        assert process.terminate() == 0


def _send(web: Client, priority: str) -> str:
    """Upload a picture. Returns its job's id."""
    data = snapshot()
    assert web.upload(data, "jpg", priority=priority).status_code == 202
    return f"{md5(data)}-jpg-80"


def _status(connection: redis.Redis, job_id: str) -> bytes | None:
    return cast(bytes | None, connection.hget(rq_keys.job(job_id), "status"))


def _hold(
    workers: Process, web: Client, connection: redis.Redis, priority: str
) -> tuple[psutil.Process, str]:
    """Have the one worker take a picture that it does not get done with. Returns its decoder, which
    is stopped, and the job's id."""
    (decoder,) = workers.freeze(1)
    job_id = _send(web, priority)
    until(lambda: _status(connection, job_id) == b"started", what="it is in hand")
    return decoder, job_id


def _wait(connection: redis.Redis, job_ids: list[str]) -> None:
    until(lambda: {_status(connection, id) for id in job_ids} == {b"finished"}, 90, "all are done")


def _in_order(connection: redis.Redis, job_ids: list[str]) -> list[str]:
    """The jobs as they were begun."""
    return sorted(job_ids, key=lambda id: connection.hget(rq_keys.job(id), "started_at") or b"")


def test_an_interactive_picture_is_next_however_many_wait_as_bulk(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    with pool(folder, redis_url) as workers:
        decoder, in_hand = _hold(workers, web, connection, "bulk")
        bulk = [_send(web, "bulk") for _ in range(10)]
        interactive = _send(web, "interactive")
        decoder.resume()
        _wait(connection, [in_hand, *bulk, interactive])
        order = _in_order(connection, [in_hand, *bulk, interactive])
        assert order == [in_hand, interactive, *bulk]


def test_bulk_gets_one_of_ten_while_interactive_pictures_never_end(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    with pool(folder, redis_url) as workers:
        decoder, in_hand = _hold(workers, web, connection, "interactive")
        bulk = [_send(web, "bulk") for _ in range(3)]
        interactive = [in_hand, *(_send(web, "interactive") for _ in range(3 * STREAK))]
        decoder.resume()
        _wait(connection, [*bulk, *interactive])
        order = _in_order(connection, [*bulk, *interactive])
    assert [order.index(job) for job in bulk] == [STREAK, 2 * STREAK + 1, 3 * STREAK + 2]
    assert [job for job in order if job in interactive] == interactive


@pytest.mark.parametrize("count", [2, 3])
def test_every_queue_that_waits_gets_its_turn(count: int) -> None:
    precedence = Precedence(keys.QUEUES[:count])
    taken = []
    for _ in range(100):
        taken.append(precedence.order[0])
        precedence.took(taken[-1])
    assert taken[: STREAK + 1] == [keys.QUEUES[0]] * STREAK + [keys.QUEUES[1]]
    assert set(taken) == set(keys.QUEUES[:count])
    assert taken.count(keys.QUEUES[0]) == 90


def test_one_queue_is_always_next() -> None:
    precedence = Precedence(["bulk"])
    for _ in range(2 * STREAK):
        assert precedence.order == ["bulk"]
        precedence.took("bulk")


@pytest.mark.parametrize("queues", ["interactive,bulk", "bulk,interactive"])
def test_an_idle_worker_waits_where_somebody_waits_for_it(
    redis_url: str, connection: redis.Redis, tmp_path: Path, queues: str
) -> None:
    def next_wait() -> str:
        heard = (str(one["command"]) for one in commands.listen())
        return next(command for command in heard if command.startswith("BLMOVE"))

    with pool(tmp_path, redis_url, "--queues", queues), connection.monitor() as commands:
        source, target = rq_keys.queue("interactive"), rq_keys.intermediate("interactive")
        assert {next_wait() for _ in range(2)} == {f"BLMOVE {source} {target} LEFT RIGHT 3"}


class _KilledOnceItHasTaken(PictureWorker):
    def execute_job(self, *arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class _KilledOnceItHasBegun(PictureWorker):
    def perform_job(self, *arguments: Any) -> bool:
        os.kill(os.getpid(), signal.SIGKILL)
        return False


SERVED = (keys.MAINTENANCE_QUEUE, *keys.PICTURE_QUEUES)


def _work(kind: type[PictureWorker], redis_url: str) -> None:
    with contextlib.closing(redis.Redis.from_url(redis_url)) as connection:
        kind(SERVED, connection=connection, serializer=JSONSerializer).work(logging_level="ERROR")


def _work_until_killed(kind: type[PictureWorker], redis_url: str) -> None:
    worker = get_context("spawn").Process(target=_work, args=(kind, redis_url))
    worker.start()
    worker.join(60)
    assert worker.exitcode == -signal.SIGKILL


def test_a_worker_killed_between_taking_a_job_and_beginning_it_loses_none(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    CleanupScheduler(connection, 600).enqueue_jobs()
    jobs = [keys.CLEANUP_JOB_ID, _send(web, "interactive"), _send(web, "bulk")]
    for name, job in zip(SERVED, jobs, strict=True):
        _work_until_killed(_KilledOnceItHasTaken, redis_url)
        assert connection.llen(rq_keys.queue(name)) == 0
        assert connection.lrange(rq_keys.intermediate(name), 0, -1) == [job.encode()]
    # None of the others serves the queues of all.
    with (
        pool(folder, redis_url, "--queues", "maintenance"),
        pool(folder, redis_url, "--queues", "interactive,bulk"),
    ):
        _wait(connection, jobs)
    left = [connection.llen(rq_keys.intermediate(name)) for name in keys.QUEUES]
    assert not any(left)


def test_a_job_that_has_begun_again_has_no_error_of_before(
    web: Client, redis_url: str, connection: redis.Redis
) -> None:
    id = _send(web, "interactive")
    job = Job.fetch(id, connection=connection, serializer=JSONSerializer)
    job.meta |= {"error": "of before", "error_code": "interrupted"}
    job.save_meta()
    _work_until_killed(_KilledOnceItHasBegun, redis_url)
    assert _status(connection, id) == b"started"
    begun = Job.fetch(id, connection=connection, serializer=JSONSerializer)
    assert not begun.meta.keys() & {"error", "error_code"}


def test_a_job_of_a_queue_whose_workers_are_all_dead_is_put_back_by_those_of_another(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    job = _send(web, "bulk")
    assert connection.lmove(rq_keys.queue("bulk"), rq_keys.intermediate("bulk"))
    with pool(folder, redis_url, "--queues", "maintenance"):
        until(lambda: connection.llen(rq_keys.queue("bulk")) == 1, 60, "it is put back")
    assert _status(connection, job) == b"queued"
    with pool(folder, redis_url, "--queues", "bulk"):
        _wait(connection, [job])


def test_a_job_that_moves_while_workers_take_it_is_taken_once(connection: redis.Redis) -> None:
    queue = PictureQueue(connection, max_age_seconds=60, conversion_timeout=60)
    jobs = []
    for number in range(300):
        job = queue.submit(
            Conversion(f"{number:032x}", Format.WEBP, 0),
            Submission("cat.jpg", 7, priority=Priority.BULK),
            token="01",
        )
        assert job is not None
        jobs.append(job)
    queues = [
        SafeQueue(name, connection=connection, serializer=JSONSerializer)
        for name in keys.PICTURE_QUEUES
    ]

    def take() -> list[str]:
        taken = []
        while found := SafeQueue.dequeue_any(queues, None, connection, serializer=JSONSerializer):
            job, source = found
            assert job.origin == source.name
            taken.append(job.id)
        return taken

    with ThreadPoolExecutor(4) as threads:
        takers = [threads.submit(take) for _ in range(2)]
        movers = [threads.submit(queue.promote, job) for job in reversed(jobs)]
        moved = [mover.result() for mover in movers]
        taken = [job_id for taker in takers for job_id in taker.result()]
    taken += take()  # what was moved after the takers had looked
    assert sorted(taken) == sorted(job.conversion.job_id for job in jobs)
    assert 0 < sum(moved) < len(jobs)  # or they did not meet


def test_a_pool_for_each_queue_serves_that_queue_alone(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    interactive, bulk = _send(web, "interactive"), _send(web, "bulk")
    with pool(folder, redis_url, "--queues", "bulk"):
        _wait(connection, [bulk])
        more = _send(web, "bulk")
        _wait(connection, [more])
        assert _status(connection, interactive) == b"queued"
        with pool(folder, redis_url, WORKERS__QUEUES="interactive"):
            _wait(connection, [interactive])
            names = [worker.queue_names() for worker in Worker.all(connection=connection)]
            assert sorted(names) == [["bulk"], ["interactive"]]


def test_workers_are_named_by_their_machine_and_the_one_of_the_maintenance_by_that_too(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    with pool(tmp_path, redis_url) as workers:
        until(lambda: connection.scard(rq_keys.WORKERS) == 2, what="both have come")
        queues = {w.name: w.queue_names() for w in Worker.all(connection=connection)}
        (light,) = (name for name, served in queues.items() if served == ["maintenance"])
        (other,) = queues.keys() - {light}
        assert queues[other] == ["interactive", "bulk"]
        host = os.uname().nodename
        assert light.startswith(f"{host}.maintenance.")
        assert other.startswith(f"{host}.")
        # The one that is killed is replaced by one of its kind.
        (pid,) = (w.pid for w in Worker.all(connection=connection) if w.name == light)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        def replaced() -> bool:
            names = [w.name for w in Worker.all(connection=connection) if w.name != light]
            return len(names) == 2 and any(".maintenance." in name for name in names)

        until(replaced, what="another one")
        assert len(workers.family()) == 1 + 1 + 2  # which has no decoder


def test_a_long_cleanup_holds_up_no_picture(
    redis_url: str, connection: redis.Redis, tmp_path: Path
) -> None:
    folder = tmp_path / "output" / "originals" / "ab"
    folder.mkdir(parents=True)
    for number in range(20_000):
        path = folder / f"{number:032x}-webp-0.01"
        path.touch()
        os.utime(path, (0, 0))
    assert ORPHAN_SECONDS < 10**6  # they are old enough
    with web_alone(tmp_path, redis_url) as web, pool(tmp_path, redis_url, UPLOAD__MAX_AGE=1):
        until(lambda: connection.scard(rq_keys.WORKERS) == 2, what="both have come")
        (pid,) = (w.pid for w in Worker.all(connection=connection) if "maintenance" in w.name)
        maintainer = psutil.Process(pid)
        CleanupScheduler(connection, 600).enqueue_jobs()
        until(lambda: _status(connection, keys.CLEANUP_JOB_ID) == b"started", what="it is begun")
        maintainer.suspend()
        try:
            _wait(connection, [_send(web.client, one) for one in ("interactive", "bulk")])
            assert _status(connection, keys.CLEANUP_JOB_ID) == b"started"
            assert any(folder.iterdir())
        finally:
            maintainer.resume()
        _wait(connection, [keys.CLEANUP_JOB_ID])
        assert not any(folder.iterdir())


def test_what_waits_in_the_queue_of_earlier_versions_is_done(
    web: Client, redis_url: str, connection: redis.Redis, folder: Path
) -> None:
    jobs = [_send(web, "interactive") for _ in range(3)]
    for job in jobs:
        connection.hset(rq_keys.job(job), "origin", keys.RETIRED_QUEUE)
    connection.rename(rq_keys.queue("interactive"), rq_keys.queue(keys.RETIRED_QUEUE))
    # One of them was on its way.
    old = rq_keys.queue(keys.RETIRED_QUEUE)
    assert connection.lmove(old, f"{old}:intermediate")
    with pool(folder, redis_url):
        _wait(connection, jobs)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("pictures", "there is no queue 'pictures'"),
        ("", "there is no queue ''"),
        ("bulk,,interactive", "there is no queue ''"),
        ("bulk,interactive,bulk", "the queue bulk is named twice"),
    ],
)
def test_a_queue_that_is_not_there_stops_the_start_with_one_line(
    redis_url: str, tmp_path: Path, given: str, said: str
) -> None:
    ended = Process(["workers", "--queues", given], environment(tmp_path, REDIS__URL=redis_url))
    assert ended.wait() == 2
    (line,) = ended.log
    assert said in line


def test_everything_in_one_is_ready_with_whatever_queues_it_serves(tmp_path: Path) -> None:
    with service(tmp_path, WORKERS__QUEUES="bulk") as server:
        client = Client(server.url)
        data = snapshot()
        assert client.upload(data, priority="bulk").status_code == 202
        assert [job["status"] for job in client.wait(md5(data))] == ["done"]


class _Stopped(Job):
    """As where a worker's handler of signals ends it while it reads a job."""

    @classmethod
    def fetch(cls, *arguments: Any, **options: Any) -> Any:
        raise StopRequested


def test_a_worker_that_is_told_to_stop_while_it_looks_for_abandoned_jobs_stops(
    connection: redis.Redis,
) -> None:
    queue = Queue(Priority.INTERACTIVE, connection=connection)
    connection.lpush(queue.intermediate_queue_key, "a")
    with pytest.raises(StopRequested):
        maintain(connection, _Stopped, JSONSerializer)

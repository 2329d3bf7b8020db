"""The cleanup, without a worker: what goes and what stays."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from rq import Queue
from rq.job import Job, JobStatus
from rq.registry import CanceledJobRegistry, FailedJobRegistry, FinishedJobRegistry
from rq.results import Result
from rq.serializers import JSONSerializer

from app.core.jobs.queue.removal import EndedJob, removal_command
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.retention import shared_seconds, source_seconds
from app.core.picture.submission import Submission
from app.core.redis.commands import Command
from app.core.storage import listing
from app.core.storage.files import FileStorage
from bench.queue import PictureQueue
from imaging.formats import Format
from tests.storage import Blocking
from workers.cleanup import ORPHAN_SECONDS, Swept, sweep

HOUR = 3600.0

ENDED = {
    JobStatus.FINISHED: FinishedJobRegistry,
    JobStatus.FAILED: FailedJobRegistry,
    JobStatus.CANCELED: CanceledJobRegistry,
}


class Scene:
    """A queue and a storage with jobs of any age."""

    def __init__(self, connection: redis.Redis, folder: Path) -> None:
        self.folder = folder
        self.queue = PictureQueue(connection, max_age_seconds=HOUR, conversion_timeout=60)
        self.storage = Blocking(FileStorage(folder))
        self._connection = connection

    def job(self, number: int, status: JobStatus, age: float, token: str = "01") -> Conversion:
        """A job that ended `age` seconds ago, with its files."""
        conversion = Conversion(f"{number:032x}", Format.WEBP, 0)
        assert self.queue.submit(conversion, Submission("a.jpg", 1), token=token)
        job = self.restored(conversion)
        job.set_status(status)
        if status in ENDED:
            job.ended_at = datetime.now(UTC) - timedelta(seconds=age)
            job.save()
            self._connection.zadd(ENDED[status].key_template.format(job.origin), {job.id: 1})
        viewed = self.queue.get(conversion.job_id)
        assert viewed is not None
        self.file(viewed.original_key, age)
        if status is JobStatus.FINISHED:
            self.file(viewed.result_key, age)
        return conversion

    def file(self, key: str, age: float) -> Path:
        """An object put `age` seconds ago."""
        self.storage.put(key, b"x")
        path = self.folder / key
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    def restored(self, conversion: Conversion) -> Job:
        """The job as RQ has it."""
        return Job.fetch(conversion.job_id, connection=self._connection, serializer=JSONSerializer)

    def sweep(self, max_age: float, *stopping: Callable[[], bool]) -> Swept:
        """Run the cleanup."""
        storage = self.storage.storage
        return self.storage.run(
            sweep(self.queue.connection, self.queue.questions, storage, max_age, *stopping)
        )

    def files(self) -> list[str]:
        """All objects."""
        return self.storage.keys()


@pytest.fixture
def scene(connection: redis.Redis, tmp_path: Path) -> Scene:
    return Scene(connection, tmp_path)


@pytest.mark.parametrize("status", [JobStatus.FINISHED, JobStatus.FAILED])
def test_an_old_job_goes_with_its_files_and_a_young_one_stays(
    scene: Scene, status: JobStatus
) -> None:
    old = scene.job(1, status, HOUR + 60)
    young = scene.job(2, status, HOUR - 60)
    kept = [key for key in scene.files() if young.job_id in key]
    swept = scene.sweep(HOUR)
    assert swept.jobs == 1
    assert scene.queue.get(old.job_id) is None
    assert scene.queue.find(old.md5) == []
    assert scene.queue.get(young.job_id) is not None
    assert scene.files() == kept


@pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.STARTED])
def test_a_job_that_waits_or_runs_stays_however_old_its_original_is(
    scene: Scene, status: JobStatus
) -> None:
    conversion = scene.job(1, status, 10 * HOUR)
    assert scene.sweep(HOUR).files == 0
    assert scene.queue.get(conversion.job_id) is not None
    assert len(scene.files()) == 1


def test_a_job_that_ended_just_now_stays_though_its_original_is_old(scene: Scene) -> None:
    conversion = scene.job(1, JobStatus.FINISHED, 10)
    for key in scene.files():
        os.utime(scene.folder / key, (time.time() - 2 * HOUR,) * 2)
    scene.sweep(HOUR)
    assert scene.queue.get(conversion.job_id) is not None
    assert len(scene.files()) == 2


def test_files_without_a_job_go_when_they_are_old(scene: Scene) -> None:
    lost = Conversion("a" * 32, Format.PNG, 0)
    scene.file(f"originals/aa/{lost.job_id}.01", HOUR + 60)
    scene.file(f"results/aa/{lost.job_id}.01.png", HOUR + 60)
    young = scene.file(f"originals/aa/{lost.job_id}.02", HOUR - 60)
    assert scene.sweep(HOUR).files == 2
    assert [scene.folder / key for key in scene.files()] == [young]


def test_an_upload_for_further_results_goes_after_the_last_id_that_names_it(scene: Scene) -> None:
    last = source_seconds(HOUR)
    assert last >= HOUR + shared_seconds(HOUR) + 60
    kept = scene.file(paths.source("0" * 32, "01"), last - 5)
    old = scene.file(paths.source("0" * 32, "02"), last + 5)
    assert scene.sweep(HOUR).files == 1
    assert kept.exists()
    assert not old.exists()


def test_a_new_original_is_safe_however_short_max_age_is(scene: Scene) -> None:
    """Between the put and the job there is a moment, and a cleanup may fall into it."""
    key = f"originals/aa/{Conversion('a' * 32, Format.PNG, 0).job_id}.01"
    scene.file(key, ORPHAN_SECONDS - 60)
    scene.sweep(1)
    assert scene.files() == [key]


def test_the_files_of_an_earlier_submission_go_and_those_of_the_new_one_stay(
    scene: Scene,
) -> None:
    conversion = scene.job(1, JobStatus.FINISHED, 60, token="02")
    earlier = f"originals/00/{conversion.job_id}.01"
    scene.file(earlier, 2 * HOUR)
    kept = [key for key in scene.files() if key != earlier]
    scene.sweep(HOUR)
    assert scene.files() == kept


def test_foreign_files_are_left_alone(scene: Scene) -> None:
    scene.file("originals/readme.txt", 10 * HOUR)
    scene.file("elsewhere/x", 10 * HOUR)
    scene.sweep(HOUR)
    assert len(scene.files()) == 2


Change = Callable[[Scene, Conversion], None]


def _send_again(scene: Scene, conversion: Conversion) -> None:
    job = scene.queue.get(conversion.job_id)
    assert job is not None
    assert scene.queue.submit(conversion, Submission("a.jpg", 1), token="02", replaces=job)


def _requeue(scene: Scene, conversion: Conversion) -> None:
    scene.restored(conversion).requeue()


def _run_again(scene: Scene, conversion: Conversion) -> None:
    """As after a requeue, by when it has ended a second time."""
    job = scene.restored(conversion)
    job.ended_at = datetime.now(UTC)
    job.save()


@pytest.mark.parametrize("change", [_send_again, _requeue, _run_again])
def test_a_job_that_changes_while_the_cleanup_looks_at_it_stays(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    changed, other = (scene.job(n, JobStatus.FAILED, 2 * HOUR) for n in (1, 2))

    changes = [change]

    def changed_meanwhile(job: EndedJob) -> Command:
        while changes:
            changes.pop()(scene, changed)
        return removal_command(job)

    monkeypatch.setattr("app.core.jobs.queue.questions.removal_command", changed_meanwhile)
    assert scene.sweep(HOUR).jobs == 1
    job = scene.queue.get(changed.job_id)
    assert job is not None
    assert scene.queue.find(changed.md5) == [job]
    assert job.token == ("02" if change is _send_again else "01")
    if change is not _send_again:
        assert job.original_key in scene.files()
    assert scene.queue.get(other.job_id) is None


def test_nothing_of_a_removed_job_is_left_in_redis(scene: Scene, connection: redis.Redis) -> None:
    conversions = [scene.job(n, status, 2 * HOUR) for n, status in enumerate(ENDED)]
    for conversion in conversions:
        job = scene.restored(conversion)
        Result.create(job, Result.Type.SUCCESSFUL, ttl=60)
        for key in (job.dependents_key, job.dependencies_key, job.execution_registry.key):
            connection.sadd(key, "x")
    for registry in ENDED.values():
        connection.zadd(registry.key_template.format(Priority.INTERACTIVE.value), {"another": 1})
    connection.delete(Queue(Priority.INTERACTIVE.value, connection=connection).key)
    assert scene.sweep(HOUR).jobs == 3
    left = {str(key, "utf8") if isinstance(key, bytes) else key for key in connection.keys("*")}
    registries = {each.key_template.format(Priority.INTERACTIVE.value) for each in ENDED.values()}
    assert left == {Queue.redis_queues_keys, *registries}
    for key in registries:
        assert connection.zrange(key, 0, -1) == [b"another"]


def test_a_cleanup_told_to_stop_leaves_whole_pictures_and_the_next_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.cleanup.AT_ONCE", 10)
    for number in range(30):
        scene.job(number, JobStatus.FINISHED, 2 * HOUR)
    answers = iter([False, False, True])
    swept = scene.sweep(HOUR, lambda: next(answers))
    assert (swept.jobs, swept.files) == (20, 40)
    jobs = [scene.queue.get(Conversion(f"{n:032x}", Format.WEBP, 0).job_id) for n in range(30)]
    left = [job for job in jobs if job]
    files = [key for job in left for key in (job.original_key, job.result_key)]
    assert scene.files() == sorted(files)
    assert scene.sweep(HOUR).jobs == 10
    assert scene.files() == []


def test_the_files_of_jobs_that_a_killed_cleanup_has_removed_go_with_the_next(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        scene.job(number, JobStatus.FINISHED, 2 * HOUR)

    async def killed(keys: Sequence[str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(scene.storage.storage, "delete", killed)
        with pytest.raises(KeyboardInterrupt):
            scene.sweep(HOUR)
    assert len(scene.files()) == 6
    swept = scene.sweep(HOUR)
    assert (swept.jobs, swept.files) == (0, 6)
    assert scene.files() == []


def test_a_job_in_the_way_of_no_queue_is_removed_however_many_wait(
    scene: Scene, connection: redis.Redis
) -> None:
    """RQ itself walks through the whole queue for each job it deletes."""
    scene.job(1, JobStatus.FINISHED, 2 * HOUR)
    before = connection.info("commandstats").get("cmdstat_lrem")
    assert scene.sweep(HOUR).jobs == 1
    assert connection.info("commandstats").get("cmdstat_lrem") == before


def test_more_files_than_a_page_are_all_cleaned(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LIST_PAGE", 50)  # a thousand jobs take seconds to make
    for number in range(110):
        scene.job(number, JobStatus.FINISHED, 2 * HOUR)
    assert scene.sweep(HOUR).jobs == 110
    assert scene.files() == []


@pytest.mark.parametrize("data", [b"", b"no pickle", b'["f", null, [], {"conversion": {}}]'])
def test_a_job_that_makes_no_sense_keeps_no_other_from_being_deleted(
    scene: Scene, connection: redis.Redis, data: bytes
) -> None:
    spoilt = scene.job(1, JobStatus.FINISHED, 2 * HOUR)
    scene.job(2, JobStatus.FINISHED, 2 * HOUR)
    connection.hset(Job.key_for(spoilt.job_id), "data", zlib.compress(data))
    assert scene.sweep(HOUR).jobs == 1
    assert scene.files() == []
    assert scene.queue.find(spoilt.md5) == []

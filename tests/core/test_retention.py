"""The cleanup, without a worker: what goes and what stays."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.conversion import Conversion, Format
from app.core.queue import JobState, PictureQueue
from app.core.retention import ORPHAN_SECONDS, sweep
from app.core.storage import Storage

HOUR = 3600.0


class Scene:
    """A queue and a storage with jobs of any age."""

    def __init__(self, connection: redis.Redis, folder: Path) -> None:
        self.folder = folder
        self.queue = PictureQueue(connection, max_age_seconds=HOUR, conversion_timeout=60)
        self.storage = Storage.local(folder)
        self._connection = connection

    def job(self, number: int, status: JobStatus, age: float, token: str = "01") -> Conversion:
        """A job that ended `age` seconds ago, with its files."""
        conversion = Conversion(f"{number:032x}", Format.WEBP, 0)
        assert self.queue.submit(conversion, token=token, filename="a.jpg", size=1)
        job = Job.fetch(conversion.job_id, connection=self._connection, serializer=JSONSerializer)
        job.set_status(status)
        if status in (JobStatus.FINISHED, JobStatus.FAILED):
            job.ended_at = datetime.now(UTC) - timedelta(seconds=age)
            job.save()
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

    def files(self) -> list[str]:
        """All objects."""
        return sorted(info.key for page in self.storage.list("") for info in page)


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
    swept = sweep(scene.queue, scene.storage, HOUR)
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
    assert sweep(scene.queue, scene.storage, HOUR).files == 0
    assert scene.queue.get(conversion.job_id) is not None
    assert len(scene.files()) == 1


def test_a_job_that_ended_just_now_stays_though_its_original_is_old(scene: Scene) -> None:
    conversion = scene.job(1, JobStatus.FINISHED, 10)
    for key in scene.files():
        os.utime(scene.folder / key, (time.time() - 2 * HOUR,) * 2)
    sweep(scene.queue, scene.storage, HOUR)
    assert scene.queue.get(conversion.job_id) is not None
    assert len(scene.files()) == 2


def test_files_without_a_job_go_when_they_are_old(scene: Scene) -> None:
    lost = Conversion("a" * 32, Format.PNG, 0)
    scene.file(f"originals/aa/{lost.job_id}.01", HOUR + 60)
    scene.file(f"results/aa/{lost.job_id}.01.png", HOUR + 60)
    young = scene.file(f"originals/aa/{lost.job_id}.02", HOUR - 60)
    assert sweep(scene.queue, scene.storage, HOUR).files == 2
    assert [scene.folder / key for key in scene.files()] == [young]


def test_a_new_original_is_safe_however_short_max_age_is(scene: Scene) -> None:
    """Between the put and the job there is a moment, and a cleanup may fall into it."""
    key = f"originals/aa/{Conversion('a' * 32, Format.PNG, 0).job_id}.01"
    scene.file(key, ORPHAN_SECONDS - 60)
    sweep(scene.queue, scene.storage, 1)
    assert scene.files() == [key]


def test_the_files_of_an_earlier_submission_go_and_those_of_the_new_one_stay(
    scene: Scene,
) -> None:
    conversion = scene.job(1, JobStatus.FINISHED, 60, token="02")
    earlier = f"originals/00/{conversion.job_id}.01"
    scene.file(earlier, 2 * HOUR)
    kept = [key for key in scene.files() if key != earlier]
    sweep(scene.queue, scene.storage, HOUR)
    assert scene.files() == kept


def test_foreign_files_are_left_alone(scene: Scene) -> None:
    scene.file("originals/readme.txt", 10 * HOUR)
    scene.file("elsewhere/x", 10 * HOUR)
    sweep(scene.queue, scene.storage, HOUR)
    assert len(scene.files()) == 2


def test_a_picture_sent_again_during_the_cleanup_keeps_its_new_job(scene: Scene) -> None:
    conversion = scene.job(1, JobStatus.FINISHED, 2 * HOUR)
    original = scene.queue.get_many

    def sent_again_meanwhile(job_ids: object) -> object:
        jobs = original(job_ids)  # type: ignore[arg-type]
        for job in jobs:
            if job is not None and job.token == "01":
                scene.queue.remove(job)
                scene.queue.submit(conversion, token="02", filename="a.jpg", size=1)
        return jobs

    scene.queue.get_many = sent_again_meanwhile  # type: ignore[assignment, method-assign]
    sweep(scene.queue, scene.storage, HOUR)
    scene.queue.get_many = original  # type: ignore[method-assign]
    job = scene.queue.get(conversion.job_id)
    assert job is not None
    assert (job.token, job.state) == ("02", JobState.QUEUED)


def test_more_files_than_a_page_are_all_cleaned(scene: Scene) -> None:
    for number in range(1100):
        scene.job(number, JobStatus.FINISHED, 2 * HOUR)
    assert sweep(scene.queue, scene.storage, HOUR).jobs == 1100
    assert scene.files() == []

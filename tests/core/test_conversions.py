"""Submissions whose answer from Redis is lost."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import pytest
import redis

from app.core import conversions as conversions_module
from app.core.conversion import Conversion
from app.core.conversions import Conversions, Picture
from app.core.errors import QueueFull
from app.core.events import Events
from app.core.queue import JobState, PictureJob, PictureQueue
from app.core.storage.files import FileStorage
from imaging.formats import Format
from tests.pictures import md5, photograph, unique


class _LostAnswer(PictureQueue):
    """Makes the first job, of which the caller does not hear."""

    lost = False

    def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
        job = super().submit(*args, **kwargs)
        if not self.lost:
            self.lost = True
            raise redis.TimeoutError("Timeout reading from socket")
        return job


class _SentTwice(PictureQueue):
    """Makes each job, and then finds it there: as Redis's client does when it tries again."""

    def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
        super().submit(*args, **kwargs)
        return super().submit(*args, **kwargs)


def test_over_its_limit_the_queue_takes_no_new_picture_and_knows_the_old_ones(
    connection: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60, max_waiting=1)
    conversions = Conversions(queue, FileStorage(tmp_path), Events(redis_url))
    first, second = unique(photograph("rocket")), unique(photograph("rocket"))
    job = asyncio.run(conversions.submit(_picture(first), _webp(first)))
    with pytest.raises(QueueFull):
        asyncio.run(conversions.submit(_picture(second), _webp(second)))
    assert queue.find(md5(second)) == []
    assert asyncio.run(conversions.submit(_picture(first), _webp(first))).token == job.token
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def _picture(data: bytes) -> Picture:
    return Picture(io.BytesIO(data), md5(data), len(data), "cat.jpg")


def _webp(data: bytes) -> Conversion:
    return Conversion(md5(data), Format.WEBP, 0)


def _queue(kind: type[PictureQueue], connection: redis.Redis) -> PictureQueue:
    return kind(connection, max_age_seconds=3600, conversion_timeout=60)


def test_a_job_whose_answer_was_lost_keeps_its_original(
    connection: redis.Redis, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversions_module, "HUNG_SECONDS", 0)
    queue, storage = _queue(_LostAnswer, connection), FileStorage(tmp_path)
    conversions = Conversions(queue, storage, Events(redis_url))
    data = unique(photograph("rocket"))
    with pytest.raises(redis.TimeoutError):
        asyncio.run(conversions.submit(_picture(data), _webp(data)))
    (job,) = queue.find(md5(data))
    assert storage.get(job.original_key) == data
    # Sent again it is the same job.
    assert asyncio.run(conversions.submit(_picture(data), _webp(data))).token == job.token
    assert storage.get(job.original_key) == data


def test_a_job_that_was_enqueued_twice_by_the_connection_keeps_its_original(
    connection: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    queue, storage = _queue(_SentTwice, connection), FileStorage(tmp_path)
    data = unique(photograph("rocket"))
    conversions = Conversions(queue, storage, Events(redis_url))
    job = asyncio.run(conversions.submit(_picture(data), _webp(data)))
    assert storage.get(job.original_key) == data


def test_a_failed_picture_sent_again_to_a_redis_that_goes_away_is_still_known(
    connection: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    """The new job comes as the old one goes, or neither."""

    class GoneBefore(PictureQueue):
        def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
            raise redis.ConnectionError("Redis is gone")

    data, storage = unique(photograph("rocket")), FileStorage(tmp_path)
    queue = _queue(PictureQueue, connection)
    first = asyncio.run(
        Conversions(queue, storage, Events(redis_url)).submit(_picture(data), _webp(data))
    )
    connection.hset(f"rq:job:{first.conversion.job_id}", "status", "failed")
    gone = Conversions(_queue(GoneBefore, connection), storage, Events(redis_url))
    with pytest.raises(redis.ConnectionError):
        asyncio.run(gone.submit(_picture(data), _webp(data)))
    (job,) = queue.find(md5(data))
    assert (job.token, job.state) == (first.token, JobState.FAILED)
    again = asyncio.run(
        Conversions(queue, storage, Events(redis_url)).submit(_picture(data), _webp(data))
    )
    assert again.token != first.token
    (job,) = queue.find(md5(data))
    assert (job.token, job.state) == (again.token, JobState.QUEUED)
    assert storage.get(job.original_key) == data


def test_of_many_who_send_a_failed_picture_again_one_is_taken(
    connection: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    data, storage = unique(photograph("rocket")), FileStorage(tmp_path)
    queue = _queue(PictureQueue, connection)
    conversions = Conversions(queue, storage, Events(redis_url))
    first = asyncio.run(conversions.submit(_picture(data), _webp(data)))
    connection.delete("rq:queue:interactive")
    connection.hset(f"rq:job:{first.conversion.job_id}", "status", "failed")

    async def all_at_once() -> list[PictureJob]:
        return await asyncio.gather(
            *(conversions.submit(_picture(data), _webp(data)) for _ in range(20))
        )

    tokens = {job.token for job in asyncio.run(all_at_once())}
    (job,) = queue.find(md5(data))
    assert tokens == {job.token}
    assert connection.llen("rq:queue:interactive") == 1
    assert storage.get(job.original_key) == data

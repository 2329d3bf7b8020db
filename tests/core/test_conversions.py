"""Submissions whose answer from Redis is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app.core.errors import QueueFull
from app.core.jobs import job as job_module
from app.core.jobs.events import Events
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.queue.async_queue import AsyncPictureQueue
from app.core.jobs.queue.questions import Before
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from app.core.redis import client as redis_client
from app.core.redis.client import FailFastRedis
from app.core.storage.files import FileStorage
from app.intake.picture import Picture
from app.web.service.conversions import Conversions
from bench.queue import PictureQueue
from imaging.formats import Format
from imaging.options import Options
from tests import rq_keys
from tests.pictures import md5, photograph, unique
from tests.storage import Blocking


class _LostAnswer(AsyncPictureQueue):
    """Makes the first job, of which the caller does not hear."""

    lost = False

    async def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
        job = await super().submit(*args, **kwargs)
        if not self.lost:
            self.lost = True
            raise redis.TimeoutError("Timeout reading from socket")
        return job


class _SentTwice(AsyncPictureQueue):
    """Makes each job, and then finds it there: as Redis's client does when it tries again."""

    async def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
        await super().submit(*args, **kwargs)
        return await super().submit(*args, **kwargs)


class _GoneBefore(AsyncPictureQueue):
    """Redis goes away before the job is made."""

    async def submit(self, *args: Any, **kwargs: Any) -> PictureJob | None:
        raise redis.ConnectionError("Redis is gone")


class _Silent(AsyncPictureQueue):
    """Does not answer the first question about a job."""

    asked = False

    async def before_submission(self, conversion: Conversion) -> Before:
        if not self.asked:
            self.asked = True
            await asyncio.sleep(3600)
        return await super().before_submission(conversion)


class Site:
    """One service: what a test asks Redis, and where the originals are."""

    def __init__(self, connection: redis.Redis, url: str, folder: Path) -> None:
        self.queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60)
        self.storage = Blocking(FileStorage(folder))
        self._url = url

    @contextlib.asynccontextmanager
    async def conversions(
        self, kind: type[AsyncPictureQueue] = AsyncPictureQueue, **settings: Any
    ) -> AsyncIterator[Conversions]:
        """A server process's side of it."""
        asked = FailFastRedis(self._url)
        queue = kind(asked, max_age_seconds=3600, conversion_timeout=60, **settings)
        try:
            yield Conversions(queue, self.storage.storage, Events(self._url))
        finally:
            await asked.close()


@pytest.fixture
def site(connection: redis.Redis, redis_url: str, tmp_path: Path) -> Site:
    return Site(connection, redis_url, tmp_path)


def _picture(data: bytes) -> Picture:
    return Picture.of_bytes(data, md5(data), "cat.jpg")


def _webp(data: bytes) -> Conversion:
    return Conversion(md5(data), Format.WEBP, 0)


def _sent(data: bytes, priority: Priority = Priority.INTERACTIVE) -> Submission:
    return Submission("cat.jpg", len(data), "image/jpeg", priority)


async def _submitted(conversions: Conversions, data: bytes) -> PictureJob:
    """The job of this picture as WebP."""
    (job,) = await conversions.submit_all(_picture(data), [_webp(data)], _sent(data))
    return job


def test_over_its_limit_the_queue_takes_no_new_picture_and_knows_the_old_ones(
    site: Site, tmp_path: Path
) -> None:
    first, second = unique(photograph("rocket")), unique(photograph("rocket"))

    async def scenario() -> None:
        async with site.conversions(max_waiting=1) as conversions:
            job = await _submitted(conversions, first)
            with pytest.raises(QueueFull):
                await _submitted(conversions, second)
            again = await _submitted(conversions, first)
            assert again.token == job.token

    asyncio.run(scenario())
    assert site.queue.find(md5(second)) == []
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_the_picture_of_a_client_that_goes_while_redis_is_asked_is_queued(site: Site) -> None:
    data = unique(photograph("rocket"))

    async def scenario() -> None:
        async with site.conversions(_Silent) as conversions:
            with _picture(data) as picture:
                sending = asyncio.create_task(
                    conversions.submit_all(picture, [_webp(data)], _sent(data))
                )
                await asyncio.sleep(0)
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
            await conversions.finish()
            (job,) = site.queue.find(md5(data))
            assert await site.storage.storage.get(job.original_key) == data

    asyncio.run(scenario())


def test_a_new_job_is_told_as_it_will_be_read(site: Site) -> None:
    data = unique(photograph("rocket"))
    options = Options(width=300, formats=(Format.WEBP, Format.JPG))

    async def scenario() -> None:
        async with site.conversions() as conversions:
            for conversion in (_webp(data), Conversion(md5(data), None, 80, options)):
                (told,) = await conversions.submit_all(
                    _picture(data), [conversion], _sent(data, Priority.BULK)
                )
                job_module._known_arguments.clear()  # another process has not made it
                (read,) = [
                    job for job in site.queue.find(md5(data)) if job.conversion == conversion
                ]
                assert told == read

    asyncio.run(scenario())


def test_a_job_whose_answer_was_lost_keeps_its_original(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_client, "HUNG_SECONDS", 0)
    data = unique(photograph("rocket"))

    async def scenario() -> None:
        async with site.conversions(_LostAnswer) as conversions:
            with pytest.raises(redis.TimeoutError):
                await _submitted(conversions, data)
            (job,) = site.queue.find(md5(data))
            assert await site.storage.storage.get(job.original_key) == data
            # Sent again it is the same job.
            assert (await _submitted(conversions, data)).token == job.token
            assert await site.storage.storage.get(job.original_key) == data

    asyncio.run(scenario())


def test_a_job_that_was_enqueued_twice_by_the_connection_keeps_its_original(site: Site) -> None:
    data = unique(photograph("rocket"))

    async def scenario() -> PictureJob:
        async with site.conversions(_SentTwice) as conversions:
            return await _submitted(conversions, data)

    job = asyncio.run(scenario())
    assert site.storage.get(job.original_key) == data


def test_a_failed_picture_sent_again_to_a_redis_that_goes_away_is_still_known(
    site: Site, connection: redis.Redis
) -> None:
    """The new job comes as the old one goes, or neither."""
    data = unique(photograph("rocket"))

    async def submit(kind: type[AsyncPictureQueue] = AsyncPictureQueue) -> PictureJob:
        async with site.conversions(kind) as conversions:
            return await _submitted(conversions, data)

    first = asyncio.run(submit())
    connection.delete(rq_keys.queue("interactive"))
    connection.hset(rq_keys.job(first.conversion.job_id), "status", "failed")
    connection.zadd(rq_keys.failed("interactive"), {first.conversion.job_id: 2e9})
    with pytest.raises(redis.ConnectionError):
        asyncio.run(submit(_GoneBefore))
    (job,) = site.queue.find(md5(data))
    assert (job.token, job.state) == (first.token, JobState.FAILED)
    again = asyncio.run(submit())
    assert again.token != first.token
    (job,) = site.queue.find(md5(data))
    assert (job.token, job.state) == (again.token, JobState.QUEUED)
    assert site.storage.get(job.original_key) == data
    assert not connection.exists(rq_keys.failed("interactive"))
    assert connection.lrange(rq_keys.queue("interactive"), 0, -1) == [
        job.conversion.job_id.encode()
    ]


def test_of_many_who_send_a_failed_picture_again_one_is_taken(
    site: Site, connection: redis.Redis
) -> None:
    data = unique(photograph("rocket"))

    async def scenario() -> set[str]:
        async with site.conversions() as conversions:
            first = await _submitted(conversions, data)
            connection.delete(rq_keys.queue("interactive"))
            connection.hset(rq_keys.job(first.conversion.job_id), "status", "failed")
            jobs = await asyncio.gather(*(_submitted(conversions, data) for _ in range(20)))
            return {job.token for job in jobs} | {first.token}

    tokens = asyncio.run(scenario())
    (job,) = site.queue.find(md5(data))
    assert job.token in tokens
    assert len(tokens) == 2  # that of the one that had failed, and one of all the others
    assert connection.llen(rq_keys.queue("interactive")) == 1
    assert site.storage.get(job.original_key) == data

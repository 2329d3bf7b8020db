"""What a picture costs in questions to Redis, and when it is told that it is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from app.core.jobs import keys
from app.core.jobs.events import Event, Step
from app.core.jobs.job import JobState, PictureJob
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from app.core.storage.files import FileStorage
from bench.queue import PictureQueue
from imaging.formats import Format
from tests import rq_keys
from tests.pictures import photograph
from tests.service import Process, environment, until
from tests.storage import Blocking

PICTURES = 10
TOKEN = "0" * 16


@pytest.fixture
def pool(redis_url: str, connection: redis.Redis, tmp_path: Path) -> Iterator[Process]:
    """One worker that waits."""
    env = environment(
        tmp_path,
        REDIS__URL=redis_url,
        UPLOAD__MAX_CONCURRENT_TASKS=1,
        WORKERS__QUEUES="interactive",
    )
    process = Process(["workers"], env)
    try:
        until(lambda: connection.scard(rq_keys.WORKERS), what="the worker waits")
        yield process
    finally:
        assert process.terminate() == 0


def _calls(connection: redis.Redis) -> dict[str, int]:
    stats = connection.info("commandstats")
    return {name.removeprefix("cmdstat_"): int(stat["calls"]) for name, stat in stats.items()}


def test_a_picture_is_taken_read_begun_and_ended_in_four_round_trips(
    pool: Process, connection: redis.Redis, tmp_path: Path
) -> None:
    queue = PictureQueue(connection, max_age_seconds=3600, conversion_timeout=60)
    storage = Blocking(FileStorage(tmp_path / "output"))
    conversions = [Conversion(f"{n:032x}", Format.JPG, 80) for n in range(PICTURES)]
    jobs: dict[str, PictureJob] = {}
    for conversion in conversions:
        storage.put(paths.original(conversion, TOKEN), photograph("rocket"))
    with connection.pubsub(ignore_subscribe_messages=True) as events:
        events.subscribe(keys.EVENTS_CHANNEL)
        events.get_message(timeout=10)
        workers = pool.family()
        for process in workers:
            process.suspend()
        for conversion in conversions:
            job = queue.submit(conversion, Submission("rocket.jpg", 1), token=TOKEN)
            assert job
            jobs[conversion.job_id] = job
        before, done = _calls(connection), 0
        for process in workers:
            process.resume()
        while done < PICTURES:
            message = events.get_message(timeout=60)
            assert message is not None, "no event in time"
            event = Event.loads(message["data"])
            told = event.after(jobs[event.job_id])
            assert told is not None, "the job has to be read"
            jobs[event.job_id] = told
            if event.step is Step.DONE:
                # Who hears of it finds it done at once.
                assert connection.hget(rq_keys.job(event.job_id), "status") == b"finished"
                done += 1
            else:
                assert told.state is JobState.PROCESSING
        after = _calls(connection)
    spent = {name: after[name] - before.get(name, 0) for name in after}
    # The first may have been taken before, and one is looked for in vain after the last.
    assert PICTURES - 1 <= spent["lmove"] + spent.get("blmove", 0) <= PICTURES + 2
    assert PICTURES - 1 <= spent["hgetall"] <= PICTURES + 2
    # The maintenance may come between.
    assert 2 * PICTURES - 1 <= spent["exec"] <= 2 * PICTURES + 3
    assert not spent.get("watch")
    # One of each picture is the script's that counts it in its batches.
    assert spent.get("exists", 0) <= PICTURES + 3
    # Who has followed its events knows what is read of it.
    assert [queue.get(job_id) for job_id in jobs] == list(jobs.values())

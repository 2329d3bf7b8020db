"""Jobs in RQ, without a worker."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.jobs.queue.questions import Questions
from app.core.jobs.queue.reading import READ_AT_ONCE, find_many
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from app.core.redis.commands import ask
from bench.queue import PictureQueue
from imaging.formats import Format
from imaging.options import Options
from tests import rq_keys

CONVERSION = Conversion("ab" * 16, Format.JPG, 70)


def _queue(connection: redis.Redis) -> PictureQueue:
    return PictureQueue(connection, max_age_seconds=60, conversion_timeout=60)


def _submit(queue: PictureQueue, conversion: Conversion = CONVERSION, token: str = "01") -> bool:
    return queue.submit(conversion, Submission("cat.jpg", 7), token=token) is not None


def test_of_many_submissions_at_once_one_is_taken(connection: redis.Redis) -> None:
    queue = _queue(connection)
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda n: _submit(queue, token=f"{n:02x}"), range(20)))
    assert sum(taken) == 1
    assert Queue(Priority.INTERACTIVE.value, connection=connection).job_ids == [CONVERSION.job_id]


def test_a_job_reads_well_in_rq_dashboard_and_is_data_not_code(connection: redis.Redis) -> None:
    _submit(_queue(connection))
    job = Job.fetch(CONVERSION.job_id, connection=connection, serializer=JSONSerializer)
    assert job.description == "cat.jpg → jpg"
    assert job.meta == {"filename": "cat.jpg", "format": "jpg", "quality": 70, "size_in": 7}
    assert job.kwargs == {
        "conversion": {"md5": "ab" * 16, "format": "jpg", "quality": 70},
        "token": "01",
        "filename": "cat.jpg",
    }


def test_a_pictures_jobs_are_found_in_the_order_they_were_asked_for(
    connection: redis.Redis,
) -> None:
    queue = _queue(connection)
    conversions = [Conversion("ab" * 16, Format.JPG, quality) for quality in (90, 10, 50)]
    for conversion in conversions:
        _submit(queue, conversion)
    assert [job.conversion for job in queue.find("ab" * 16)] == conversions
    assert queue.find("cd" * 16) == []


def test_all_jobs_of_several_pictures_are_found_however_many_there_are(
    connection: redis.Redis,
) -> None:
    questions = Questions(max_age_seconds=60, conversion_timeout=60)
    wanted = {
        md5: [Conversion(md5, Format.JPG, n + 1, Options(width=width)) for n in range(count)]
        for md5, count, width in (("ab" * 16, 30, 7), ("cd" * 16, 90, 8), ("ef" * 16, 3, 9))
    }
    for conversion in itertools.chain(*wanted.values()):
        ask(connection, questions.submit(conversion, Submission("a.jpg", 7), token="01"))
    assert sum(map(len, wanted.values())) > READ_AT_ONCE
    # An entry whose job is gone is passed over.
    connection.delete(rq_keys.job(wanted["cd" * 16].pop(40).job_id))
    found = ask(connection, find_many([*wanted, "00" * 16]))
    assert [[job.conversion for job in jobs] for jobs in found] == [*wanted.values(), []]


def _end(connection: redis.Redis) -> None:
    connection.hset(rq_keys.job(CONVERSION.job_id), "status", "finished")


def test_a_job_is_removed_only_if_it_has_ended_and_is_as_wanted(connection: redis.Redis) -> None:
    queue = _queue(connection)
    ids = [CONVERSION.job_id, "unknown"]
    _submit(queue, token="01")
    waiting = queue.get(CONVERSION.job_id)
    assert queue.remove_where(ids, lambda job: True) == [(waiting, False), (None, False)]
    _end(connection)
    ended = queue.get(CONVERSION.job_id)
    assert queue.remove_where(ids, lambda job: job.token == "02")[0] == (ended, False)
    assert queue.get(CONVERSION.job_id) == ended
    assert queue.remove_where(ids, lambda job: job.token == "01")[0] == (ended, True)
    assert queue.get(CONVERSION.job_id) is None
    assert queue.find(CONVERSION.md5) == []


def test_of_two_who_remove_a_job_at_once_one_does(connection: redis.Redis) -> None:
    queue = _queue(connection)

    def remove(_: int) -> bool:
        return queue.remove_where([CONVERSION.job_id], lambda job: True)[0][1]

    for _ in range(20):
        _submit(queue)
        _end(connection)
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(remove, range(8))) == 1


def test_more_jobs_than_are_read_at_once_come_in_their_order(connection: redis.Redis) -> None:
    queue = _queue(connection)
    conversions = [Conversion(f"{n:032x}", Format.WEBP, 0) for n in range(2 * READ_AT_ONCE + 1)]
    for conversion in conversions:
        _submit(queue, conversion)
    ids = [conversion.job_id for conversion in conversions]
    jobs = queue.get_many([*ids, "unknown"])
    assert [job and job.conversion for job in jobs] == [*conversions, None]
    assert [job for job, _ in queue.remove_where(ids, lambda job: True)] == jobs[:-1]


def test_what_is_left_of_a_job_that_was_deleted_while_it_ran_is_no_job(
    connection: redis.Redis,
) -> None:
    connection.hset(rq_keys.job(CONVERSION.job_id), "last_heartbeat", "2026-01-01T00:00:00.0Z")
    queue = _queue(connection)
    assert queue.get(CONVERSION.job_id) is None
    # It is swept away by the next submission, which then is taken.
    assert [_submit(queue), _submit(queue)] == [False, True]


COMPACT = "hash-max-ziplist-value"


@pytest.fixture
def plain_redis(connection: redis.Redis) -> Iterator[redis.Redis]:
    """A Redis that keeps hashes as one does that nobody has configured."""
    ours = connection.config_get(COMPACT)[COMPACT]
    connection.config_set(COMPACT, 64)
    yield connection
    connection.config_set(COMPACT, ours or 0)


def _memory_of_a_job(connection: redis.Redis, filename: str) -> float:
    """Bytes of Redis that each of many waiting jobs takes."""
    queue = _queue(connection)
    before = connection.info("memory")["used_memory"]
    for number in range(500):
        conversion = Conversion(f"{number:032x}", Format.WEBP, 0)
        assert queue.submit(conversion, Submission(filename, 1_000_000), token="0123456789abcdef")
    used = (connection.info("memory")["used_memory"] - before) / 500
    print(f"{used:.0f} bytes a job")
    return float(used)


def test_a_waiting_job_takes_less_than_3_kb_of_any_redis(plain_redis: redis.Redis) -> None:
    assert _memory_of_a_job(plain_redis, "IMG_20240229_183012.jpg") < 2500
    plain_redis.flushall()
    assert _memory_of_a_job(plain_redis, secrets.token_hex(48) + ".jpg") < 3000


def test_a_waiting_job_takes_half_of_that_in_ours(connection: redis.Redis) -> None:
    assert _memory_of_a_job(connection, "IMG_20240229_183012.jpg") < 1500

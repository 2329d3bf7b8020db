"""The place of a job that waits."""

from __future__ import annotations

import pytest
import redis

from app.core.jobs.job import PictureJob
from app.core.jobs.queue.places import place
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from app.core.picture.submission import Submission
from bench.queue import PictureQueue
from imaging.formats import Format
from tests import rq_keys
from workers.dequeue import Precedence

INTERACTIVE, BULK = Priority.INTERACTIVE, Priority.BULK


@pytest.mark.parametrize(("interactive", "bulk"), [(0, 5), (5, 0), (9, 1), (30, 2), (25, 40)])
def test_the_places_are_those_that_a_worker_gives(interactive: int, bulk: int) -> None:
    waiting = {INTERACTIVE: list(range(interactive)), BULK: list(range(bulk))}
    precedence = Precedence([INTERACTIVE, BULK])
    for turn in range(1, interactive + bulk + 1):
        name = next(name for name in precedence.order if waiting[Priority(name)])
        precedence.took(name)
        index = waiting[Priority(name)].pop(0)
        assert place(index, Priority(name), interactive, bulk) == turn


def _submit(queue: PictureQueue, number: int, priority: Priority = INTERACTIVE) -> PictureJob:
    conversion = Conversion(f"{number:032x}", Format.WEBP, 0)
    job = queue.submit(conversion, Submission("a.jpg", 7, priority=priority), token="01")
    assert job is not None
    return job


def test_a_place_is_asked_for_in_one_short_walk(connection: redis.Redis) -> None:
    queue = PictureQueue(connection, max_age_seconds=60, conversion_timeout=60)
    interactive = [_submit(queue, number) for number in range(20)]
    bulk = [_submit(queue, 100 + number, BULK) for number in range(3)]
    key = rq_keys.queue("interactive")
    connection.rpush(key, *(f"filler{number}" for number in range(10_000)))
    connection.config_resetstat()
    asked = [interactive[0], interactive[9], bulk[1], bulk[0]]
    assert queue.places(asked) == [1, 11, 20, 10]
    stats = connection.info("commandstats")
    calls = {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in stats.items()}
    calls = {name: count for name, count in calls.items() if name in ("lpos", "llen", "lrange")}
    assert calls == {"lpos": 4, "llen": 2}


def test_one_that_does_not_wait_has_none(connection: redis.Redis) -> None:
    queue = PictureQueue(connection, max_age_seconds=60, conversion_timeout=60)
    taken, started, waits = (_submit(queue, number) for number in range(3))
    connection.lrem(rq_keys.queue("interactive"), 1, taken.conversion.job_id)
    connection.lrem(rq_keys.queue("interactive"), 1, started.conversion.job_id)
    connection.hset(rq_keys.job(started.conversion.job_id), "status", "started")
    jobs = [job for each in (taken, started, waits) for job in queue.find(each.conversion.md5)]
    assert queue.places(jobs) == [None, None, 1]
    assert queue.places([]) == []

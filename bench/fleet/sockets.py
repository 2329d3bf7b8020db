"""Many sockets and event streams of one web process, each waiting for a picture."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families
from redis.client import PubSub
from rq import Queue
from rq.job import Job, JobStatus
from rq.utils import utcformat

from app.core.jobs.events import Step, publish
from app.core.jobs.job import PictureJob
from app.core.jobs.keys import EVENTS_CHANNEL
from bench.errors import BenchError
from bench.fleet.crowd import Crowd
from bench.fleet.report import Figure, megabytes, milliseconds, plain_bytes
from bench.fleet.site import SECONDS_VARIABLE, STAND_IN, Site, held
from bench.launch import HOST
from bench.pictures import shipped
from bench.table import percentile

PICTURE = "rocket.jpg"
"""A photograph of 112 KB; its stand-in for a result is half of it."""

WORKERS = 4
CONVERSION_SECONDS = 0.03
"""Of each of the workers: they end about 100 pictures a second, as a machine with 16 cores and
WebP does, or one with 4 and JPEG."""

BURST = 16
"""Pictures that end in the same instant: as if all workers of such a machine did."""

BURST_SECONDS = 0.25
"""Between two bursts."""

SETTLE_SECONDS = 2.0
"""After all pictures have begun at once: until then the web process tells that to each socket, and
to each that follows."""

SOCKETS = 1_000

MOST_MEMORY = 60e6
"""Bytes, of `SOCKETS`."""

MOST_SECONDS = 0.1

DONE_SECONDS = 120.0
"""How long all pictures may take."""


@dataclass(slots=True)
class _Told:
    """Seconds from event to receipt, of all pictures of each round."""

    rounds: list[list[float]] = field(default_factory=list)

    def figures(self, what: str, most: float | None) -> list[Figure]:
        """The slowest of each round, and what 99 of 100 do not exceed."""
        if not self.rounds:
            return []
        middle = [percentile(told, 50) for told in self.rounds]
        high = [percentile(told, 99) for told in self.rounds]
        note = f"p50 {milliseconds(max(middle))}, p99 {milliseconds(max(high))}"
        slowest = [max(told) for told in self.rounds]
        return [Figure(what, slowest, milliseconds, most=most, note=note)]


def measure(folder: Path, *, sockets: int, repeat: int) -> list[Figure]:
    """The figures.

    Args:
        sockets: each waits for one picture.
    """
    picture = shipped([PICTURE])[0]
    paced, bursts, at_once, followed, heard = _Told(), _Told(), _Told(), _Told(), _Told()
    numbers = iter(range(1, sys.maxsize))
    with Site(folder / "sockets") as site:
        web = site.web(LIMITS__SOCKETS_PER_ADDRESS=3 * sockets, LIMITS__SOCKETS=3 * sockets)
        with Crowd(web.port, 1) as one:  # what the first picture loads is not the sockets'
            one.send(picture, next(numbers))
        idle = memory(web.pid)
        redis = site.used_memory()
        with Crowd(web.port, sockets) as crowd:
            mine = crowd.send(picture, next(numbers))
            held_memory = memory(web.pid) - idle
            redis_memory = (site.used_memory() - redis) / sockets
            bursts.rounds.append(_end_in_bursts(site, crowd, mine, BURST))
            print(f"sockets: bursts of {BURST}", file=sys.stderr, flush=True)
            mine = crowd.send(picture, next(numbers))
            at_once.rounds.append(_end_in_bursts(site, crowd, mine, sockets))
            print("sockets: all at once", file=sys.stderr, flush=True)
            mine = crowd.send(picture, next(numbers))
            before = memory(web.pid)
            with Crowd(web.port, sockets) as followers:
                followers.follow(mine)
                followers_memory = memory(web.pid) - before
                followed.rounds.append(_end_in_bursts(site, followers, mine, BURST))
                _wait(crowd, mine)
                print("sockets: followed", file=sys.stderr, flush=True)
                # Beside the open ones: else they would take the memory that these have left.
                mine = crowd.send(picture, next(numbers))
                before, open_before = memory(web.pid), _open_ones(web.port)
                with Crowd(web.port, 0) as listeners:
                    listeners.listen(mine)
                    listeners_memory = memory(web.pid) - before
                    heard.rounds.append(_end_in_bursts(site, listeners, mine, BURST))
                _wait(crowd, mine)
                left = _open_ones(web.port) - open_before
            print("sockets: listened", file=sys.stderr, flush=True)
            workers = site.workers(WORKERS, STAND_IN, **{SECONDS_VARIABLE: str(CONVERSION_SECONDS)})
            rates = []
            for number in range(repeat):
                with _event_times(site) as published:
                    with held(workers):
                        mine = crowd.send(picture, next(numbers))
                    began = time.monotonic()
                    received = _wait(crowd, mine)
                    rates.append(sockets / (max(received[md5] for md5 in mine) - began))
                paced.rounds.append([received[md5] - published[md5] for md5 in mine])
                print(f"sockets: workers {number + 1}/{repeat}", file=sys.stderr, flush=True)
        after = memory(web.pid) - idle
    rate = sum(rates) / len(rates)
    return [
        Figure(
            f"memory of {sockets:,} sockets that wait",
            [held_memory],
            megabytes,
            most=MOST_MEMORY * sockets / SOCKETS,
            note=f"{plain_bytes(held_memory / sockets)} a socket; {megabytes(after)} more than "
            "before when all have gone",
        ),
        Figure(
            f"memory of {sockets:,} sockets that follow",
            [followers_memory],
            megabytes,
            most=MOST_MEMORY * sockets / SOCKETS,
            note=f"{plain_bytes(followers_memory / sockets)} a socket, each with one picture of "
            "another's and its place in the queue",
        ),
        Figure(
            f"memory of {sockets:,} event streams",
            [listeners_memory],
            megabytes,
            most=MOST_MEMORY * sockets / SOCKETS,
            note=f"{left:.0f} open after the last event, "
            f"{plain_bytes(listeners_memory / sockets)} a stream",
        ),
        *paced.figures(f"told after the event, at {rate:.0f} a second", MOST_SECONDS),
        *bursts.figures(f"told after the event, {BURST} in one instant", MOST_SECONDS),
        *followed.figures(f"told who follows, {BURST} in one instant", MOST_SECONDS),
        *heard.figures(f"told by an event stream, {BURST} in one instant", MOST_SECONDS),
        *at_once.figures(f"told after the event, all {sockets:,} in one instant", None),
        Figure("web process, idle", [idle], megabytes),
        Figure("Redis for a picture of a socket", [redis_memory], plain_bytes),
    ]


def _open_ones(port: int) -> float:
    """Sockets and event streams that the web process counts as open."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(
            httpx.get(f"http://{HOST}:{port}/metrics", timeout=60).text
        )
        for sample in family.samples
        if sample.name == "tinyimage_sockets_open"
    )


def memory(pid: int) -> int:
    """Bytes that a process holds and shares with nobody."""
    return int(psutil.Process(pid).memory_full_info().uss)


def _end_in_bursts(site: Site, crowd: Crowd, md5s: Sequence[str], size: int) -> list[float]:
    """End the pictures, `size` at a time, as a worker does that has converted them. Returns for
    each the seconds from its event to its receipt."""
    jobs = [job for md5 in md5s for job in site.queue.find(md5)]
    for job in jobs:
        site.put(job.result_key, site.get(job.original_key)[::2])
    with site.connection.pipeline() as pipe:
        for job in jobs:
            pipe.hset(Job.key_for(job.conversion.job_id), "status", JobStatus.STARTED)
            publish(pipe, job.conversion.job_id, Step.PROCESSING)
        for queue in site.connection.keys(f"{Queue.redis_queue_namespace_prefix}*"):
            pipe.delete(queue)
        pipe.execute()
    time.sleep(SETTLE_SECONDS)
    published: dict[str, float] = {}
    for start in range(0, len(jobs), size):
        burst = jobs[start : start + size]
        now = _end(site, burst)
        published |= {job.conversion.md5: now for job in burst}
        time.sleep(BURST_SECONDS)
    received = _wait(crowd, md5s)
    return [received[md5] - published[md5] for md5 in md5s]


def _end(site: Site, jobs: Sequence[PictureJob]) -> float:
    """Returns when."""
    with site.connection.pipeline(transaction=False) as pipe:
        for job in jobs:
            key = Job.key_for(job.conversion.job_id)
            publish(pipe, job.conversion.job_id, Step.DONE)
            pipe.hset(key, "ended_at", utcformat(datetime.now(UTC)))
            pipe.hset(key, "status", JobStatus.FINISHED)
        now = time.monotonic()
        pipe.execute()
    return now


@contextlib.contextmanager
def _event_times(site: Site) -> Iterator[dict[str, float]]:
    """The time of each picture's last event, by its MD5."""
    times: dict[str, float] = {}

    def note(message: Mapping[str, bytes]) -> None:
        now = time.monotonic()
        event = json.loads(message["data"])
        if event["step"] == Step.DONE:
            times[event["job"].split("-")[0]] = now

    pubsub = PubSub(site.connection.connection_pool, ignore_subscribe_messages=True)
    with pubsub:
        pubsub.subscribe(**{EVENTS_CHANNEL: note})
        thread = pubsub.run_in_thread(sleep_time=0.1, daemon=True)
        try:
            yield times
        finally:
            thread.stop()
            thread.join()


def _wait(crowd: Crowd, md5s: Sequence[str]) -> dict[str, float]:
    """When each of the pictures was received.

    Raises:
        BenchError: if one is not.
    """
    deadline = time.monotonic() + DONE_SECONDS
    while True:
        received = crowd.received()
        if missing := sum(md5 not in received for md5 in md5s):
            if time.monotonic() > deadline:
                raise BenchError(f"{missing} sockets were not told")
            time.sleep(0.5)
        else:
            return received

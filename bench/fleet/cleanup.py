"""A cleanup of many pictures, and what it does to workers at work."""

from __future__ import annotations

import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rq import Queue, Worker
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.jobs import keys
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.submission import Submission
from bench.errors import BenchError
from bench.fleet.finished import FILE, finish_many
from bench.fleet.report import Figure, milliseconds, plain_bytes, ratio, seconds
from bench.fleet.site import SECONDS_VARIABLE, STAND_IN, Site
from bench.fleet.waiting import FILENAME, TOKEN
from bench.table import percentile
from imaging.formats import Format

MAINTENANCE = "maintenance"
"""The queue of the cleanup."""

WORKERS = 2
CONVERSION_SECONDS = 0.025
"""Of a stand-in, as 3 megapixels take to JPEG."""

BEFORE_SECONDS = 10.0
"""How long the workers are watched before the cleanup."""

LONG_COMMAND = 200
"""Microseconds from which on Redis notes a command."""

MOST_SECONDS = 60.0
LEAST_RATIO = 0.9
"""Of the jobs done meanwhile to those done before: the machine is the same, with one process more
at work."""

CLEANUP_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class _Window:
    """What the workers did in some time."""

    seconds: float
    jobs: int
    latencies: list[float]
    """Seconds of a job, from when it was taken."""

    @property
    def rate(self) -> float:
        return self.jobs / self.seconds


class _Stream:
    """Keeps a few pictures waiting, so that the workers never stand still."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ids: list[str] = []

    def __enter__(self) -> _Stream:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def window(self, began: float, ended: float) -> _Window:
        """What was done between two times of `time.time()`."""
        latencies = []
        for job in Job.fetch_many(self.ids, self._site.connection, serializer=JSONSerializer):
            if job and job.started_at and job.ended_at:
                start, end = job.started_at.timestamp(), job.ended_at.timestamp()
                if began <= end < ended:
                    latencies.append(end - start)
        if not latencies:
            raise BenchError("the workers have done nothing")
        return _Window(ended - began, len(latencies), latencies)

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            if self._waiting() < 4 * WORKERS:
                for _ in range(4 * WORKERS):
                    conversion = Conversion(f"{number:032x}", Format.JPG, 80)
                    number += 1
                    self._site.put(paths.original(conversion, TOKEN), FILE)
                    self._site.queue.submit(conversion, Submission(FILENAME, 512), token=TOKEN)
                    self.ids.append(conversion.job_id)
            self._stop.wait(CONVERSION_SECONDS)

    def _waiting(self) -> int:
        names = [queue.name for queue in Queue.all(connection=self._site.connection)]
        return sum(
            Queue(name, connection=self._site.connection).count
            for name in names
            if name != MAINTENANCE
        )


class _Prober:
    """Asks Redis the least there is, again and again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.seconds: list[float] = []

    def __enter__(self) -> _Prober:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.005):
            began = time.perf_counter()
            self._site.connection.ping()
            self.seconds.append(time.perf_counter() - began)


def measure(folder: Path, *, jobs: int, scale: float) -> list[Figure]:
    """The figures.

    Args:
        jobs: pictures that are done; half of them are expired.
        scale: share of `BEFORE_SECONDS`.
    """
    with Site(folder / "cleanup") as site:
        site.workers(WORKERS, STAND_IN, **{SECONDS_VARIABLE: str(CONVERSION_SECONDS)})
        memory = finish_many(site, jobs)
        print(f"cleanup: {jobs:,} pictures are done", file=sys.stderr, flush=True)
        _maintain(site)
        with _Stream(site) as stream:
            time.sleep(1.0)
            began = time.time()
            time.sleep(max(1.0, BEFORE_SECONDS * scale))
            middle = time.time()
            site.connection.config_set("slowlog-log-slower-than", LONG_COMMAND)
            site.connection.slowlog_reset()
            with _Prober(site) as prober:
                swept, ended = _clean_up(site)
            slow = site.connection.slowlog_get(128)
        before, meanwhile = stream.window(began, middle), stream.window(middle, ended)
        left = sum(len(names) for _, _, names in os.walk(site.folder / "output"))
    expired = jobs // 2
    if swept["jobs"] != expired:
        raise BenchError(f"the cleanup has deleted {swept['jobs']} jobs and not {expired}")
    ours = 2 * len(stream.ids) + 2
    if not 2 * (jobs - expired) <= left <= 2 * (jobs - expired) + ours:
        raise BenchError(f"{left} files are left of {2 * jobs}")
    longest = max(slow, key=lambda entry: entry["duration"], default=None)
    name = longest["command"].split()[0].decode() if longest else "none took longer"
    p99 = [percentile(window.latencies, 99) for window in (before, meanwhile)]
    return [
        Figure(
            f"cleanup of {expired:,} of {jobs:,} pictures",
            [ended - middle],
            seconds,
            most=MOST_SECONDS,
            note=f"{swept['files']:,} files",
        ),
        Figure(
            "pictures done meanwhile / before",
            [meanwhile.rate / before.rate],
            ratio,
            least=LEAST_RATIO,
            note=f"{meanwhile.rate:.0f} against {before.rate:.0f} a second; a job's p99 "
            f"{milliseconds(p99[1])} against {milliseconds(p99[0])}",
        ),
        Figure(
            "longest command of Redis meanwhile",
            [(longest["duration"] if longest else LONG_COMMAND) / 1e6],
            milliseconds,
            note=f"{name}; a PING: p99 {milliseconds(percentile(prober.seconds, 99))}, "
            f"longest {milliseconds(max(prober.seconds))}",
        ),
        Figure("Redis for a picture that is done", [memory], plain_bytes),
    ]


def _maintain(site: Site) -> None:
    """See that somebody works on the queue of the cleanup."""
    queue = Queue(MAINTENANCE, connection=site.connection)
    if not Worker.all(queue=queue):
        rq = [sys.executable, "-m", "rq.cli", "worker", "--serializer", "json", "--quiet"]
        site.process([*rq, "--url", site.url, MAINTENANCE])
        deadline = time.monotonic() + 30
        while not Worker.all(queue=queue):
            if time.monotonic() > deadline:
                raise BenchError("no worker has come for the cleanup")
            time.sleep(0.05)


def _clean_up(site: Site) -> tuple[dict[str, Any], float]:
    """What the cleanup has deleted, and when it ended by `time.time()`."""
    queue = Queue(MAINTENANCE, connection=site.connection, serializer=JSONSerializer)
    job = queue.enqueue(keys.CLEANUP_FUNCTION, job_timeout=int(CLEANUP_SECONDS))
    deadline = time.monotonic() + CLEANUP_SECONDS
    while (status := job.get_status()) in (JobStatus.QUEUED, JobStatus.STARTED):
        if time.monotonic() > deadline:
            raise BenchError("the cleanup takes too long")
        time.sleep(0.05)
    if status is not JobStatus.FINISHED:
        raise BenchError(f"the cleanup has {status}")
    job.refresh()
    assert job.ended_at is not None
    return dict(job.return_value() or {}), job.ended_at.timestamp()

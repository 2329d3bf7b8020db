"""rq-scheduler, with the cleanup registered: `python -m workers.scheduler`, or beside a worker."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import redis
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from app.core.config.command import redis_url, start
from app.core.config.settings import Settings
from app.core.jobs import keys
from app.core.redis.client import connect

logger = logging.getLogger(__name__)

POLL_SECONDS = 15
"""How often the scheduler looks for due jobs; the lock of a killed one lasts 10 s longer."""

CLEANUP_TIMEOUT = 3600
"""Seconds one cleanup may take."""

RECONNECT_SECONDS = 2.0

END_SECONDS = 1.0
"""How long a worker waits for its scheduler, which may be waiting for Redis."""


class JSONJob(Job):
    """rq-scheduler makes its jobs with RQ's default serializer; this one's default is JSON."""

    def __init__(
        self,
        id: str | None = None,
        connection: redis.Redis | None = None,
        serializer: Any = None,
    ) -> None:
        super().__init__(id, connection, serializer or JSONSerializer)


class CleanupScheduler(Scheduler):  # type: ignore[misc] # rq-scheduler has no types
    """Enqueues the cleanup at its interval. However many run, they share one registration."""

    def __init__(self, connection: redis.Redis, cleanup_interval: int) -> None:
        super().__init__(
            queue_name=keys.MAINTENANCE_QUEUE,
            connection=connection,
            interval=min(POLL_SECONDS, cleanup_interval),
            job_class=JSONJob,
        )
        self._cleanup_interval = cleanup_interval

    def _install_signal_handlers(self) -> None:
        """Install no handler: rq-scheduler's own first writes to Redis, and without Redis the
        signal would be lost with the error. `main` has one."""

    def enqueue_jobs(self) -> Any:
        """Enqueue due jobs, after registering the cleanup, as its job may have been lost."""
        self.register_cleanup()
        return super().enqueue_jobs()

    def enqueue_job(self, job: Job) -> None:
        """Enqueue a job and schedule its next run, but not a second time while it still waits."""
        if self.get_queue_for_job(job).get_job_position(job.id) is None:
            super().enqueue_job(job)
        else:
            logger.warning(
                "the cleanup still waits in the queue %s: does a worker serve it?", job.origin
            )
            self._schedule_next(job)

    def run_until(self, stopping: threading.Event) -> None:
        """Enqueue due jobs at each interval. rq-scheduler's own `run` ends only by a signal."""
        self.register_birth()
        try:
            while not stopping.is_set():
                self.heartbeat()
                if self.acquire_lock():
                    self.enqueue_jobs()
                    self.remove_lock()
                stopping.wait(self._interval)
        finally:
            self.remove_lock()
            self.register_death()

    def register_cleanup(self) -> None:
        """Register the cleanup, to run now and at each interval, unless it is registered
        already."""
        try:
            job = JSONJob.fetch(keys.CLEANUP_JOB_ID, connection=self.connection)
        except NoSuchJobError:
            job = None
        if (
            job is not None
            and job.meta.get("interval") == self._cleanup_interval
            and job.origin == self.queue_name
            and job.id in self
        ):
            return
        self.schedule(
            datetime.now(UTC),
            keys.CLEANUP_FUNCTION,
            interval=self._cleanup_interval,
            id=keys.CLEANUP_JOB_ID,
            description="delete what is older than max_age",
            timeout=CLEANUP_TIMEOUT,
            at_front=True,
        )

    def _schedule_next(self, job: Job) -> None:
        due = datetime.now(UTC) + timedelta(seconds=self._cleanup_interval)
        self.connection.zadd(self.scheduled_jobs_key, {job.id: due.timestamp()})


def run_scheduler(settings: Settings, url: str) -> int:
    """Schedule until a signal. Returns the status to exit with.

    Args:
        url: where Redis is.
    """
    connection = connect(url)
    stopping = False

    def stop(signum: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        raise SystemExit(0)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    while True:
        try:
            # A new one for each try: its name may not be registered twice.
            CleanupScheduler(connection, settings.cleanup.interval).run()
        except RedisError as error:
            # Also if Redis is gone when the scheduler unregisters itself.
            if stopping:
                return 0
            logger.error("scheduler: Redis: %s", error)
            time.sleep(RECONNECT_SECONDS)


@contextlib.contextmanager
def scheduling(connection: redis.Redis, cleanup_interval: int) -> Iterator[None]:
    """Schedule beside what the process does meanwhile, in a thread: a process of its own would take
    8 MB, and 0.1 % of a core. If it fails, the process ends, to be started again."""
    stopping = threading.Event()

    def schedule() -> None:
        while not stopping.is_set():
            try:
                CleanupScheduler(connection, cleanup_interval).run_until(stopping)
            except RedisError as error:
                if not stopping.wait(RECONNECT_SECONDS):
                    logger.error("scheduler: Redis: %s", error)
            except Exception:
                logger.exception("scheduler")
                os._exit(1)

    thread = threading.Thread(target=schedule, name="scheduler", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(END_SECONDS)


def main() -> int:
    """Schedule until a signal. Returns the status to exit with."""
    parser = argparse.ArgumentParser(prog="python -m workers.scheduler", description=__doc__)
    _, settings = start(parser)
    return run_scheduler(settings, redis_url(settings, "the scheduler"))


if __name__ == "__main__":
    sys.exit(main())

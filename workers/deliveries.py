"""The RQ worker that takes messages to their recipients, several at once."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from types import FrameType
from typing import Any, cast

import redis.exceptions
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DequeueTimeout, StopRequested
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.worker import WorkerStatus

from app.core.jobs.counted.counts import Delivery, count_delivery
from app.core.jobs.webhooks.deliveries import PUT_BACK, SCHEDULED_KEY, due_command
from app.outgoing.webhook import NotDelivered
from workers.job import OVER, CheckedJob, NotOurs
from workers.lanes import Lanes
from workers.settings import process_settings
from workers.worker import STOP_SECONDS, PictureWorker

logger = logging.getLogger(__name__)

WAIT_SECONDS = 3.0
"""The longest wait of an idle worker for the next message, after which it looks for what is due."""

BUSY_WAIT_SECONDS = 0.25
"""The same while something is in work, whose next try may soon be due."""

DRAIN_SECONDS = STOP_SECONDS - 1
"""How long a worker that is to stop waits for its recipients; then it puts their messages back."""

JITTER = 0.2
"""The part by which a pause is longer, by chance: what failed together is not tried together."""

MAX_RETRY_AFTER = 24 * 3600.0
"""Seconds that a recipient may put off a try."""

TRIES = "tries"
"""In the `meta` of a delivery: how often it has failed."""


class DeliveryWorker(PictureWorker):
    """Runs each delivery in a thread of its own, as a recipient may take seconds to answer. Its
    jobs end in one transaction each, as those of pictures do; between sending and that a kill may
    come, and then the message is sent once more."""

    _waiting = False
    _next_look = 0.0

    def work(self, *arguments: Any, **options: Any) -> bool:
        """Work until told to stop. Returns whether there was a job."""
        self._lanes = Lanes()
        self._open: dict[str, tuple[CheckedJob, Execution]] = {}
        self._places: dict[str, int] = {}
        self._open_lock = threading.Lock()
        return super().work(*arguments, **options)

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job whose recipient has room for it, and its queue.

        Args:
            timeout: None for no waiting.

        Raises:
            StopRequested: if the worker is to stop.
        """
        reachable = True
        while True:
            if self._stop_requested:
                raise StopRequested
            try:
                self.heartbeat()
                if self.should_run_maintenance_tasks:
                    self.run_maintenance_tasks()  # type: ignore[no-untyped-call]
                found = self._next(wait=timeout is not None)
                if found is not None or timeout is None:
                    return found
                reachable = True
            except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError) as error:
                if reachable:
                    logger.error("worker %s: Redis: %s", self.name, error)
                reachable = False
                time.sleep(1)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Begin the delivery."""
        job = cast(CheckedJob, job)
        if OVER in job.meta:  # failed for good once, and sent again
            job.meta, job.retries_left = {}, PUT_BACK
            job.save()
        execution = self.prepare_execution(job)
        with self._open_lock:
            self._open[execution.id] = (job, execution)
        threading.Thread(
            target=self._deliver, args=(job, queue, execution), name="delivery", daemon=True
        ).start()

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Take no more messages. Those in work are ended by `teardown`."""
        try:
            super().request_stop(signum, frame)
        except StopRequested:
            self._stop_requested = True
            if self._waiting:
                raise

    def teardown(self) -> None:
        """Wait for what is in work, put back what takes too long, and sign off."""
        if not self._lanes.wait_idle(DRAIN_SECONDS if self._stopping else 60):
            with self._open_lock:
                left, self._open = list(self._open.values()), {}
            with contextlib.suppress(RedisError):  # then they count as abandoned
                for job, execution in left:
                    self._put_off(job, execution, 0)
        super().teardown()  # type: ignore[no-untyped-call]

    def _next(self, *, wait: bool) -> tuple[Job, Queue] | None:
        """A job that has its place in `Lanes`; None if none came."""
        self._waiting = wait
        try:
            if not self._lanes.wait(BUSY_WAIT_SECONDS if wait else 60):
                return None
            seconds = self._until_due()
            (queue,) = self.queues
            taken = self.queue_class.lmove(
                self.connection,
                queue.key,
                seconds if wait else None,  # type: ignore[arg-type]
            )
        except DequeueTimeout:
            return None
        finally:
            self._waiting = False
        if taken is None:
            return None
        found = self.queue_class._fetch_dequeued_job(
            self.connection,
            taken[0],
            taken[1].decode(),
            job_class=self.job_class,
            serializer=self.serializer,
            death_penalty_class=self.death_penalty_class,
        )
        if found is None:
            return None
        job, queue = found
        place = self._lanes.begin(_recipient(job))
        if place is None:
            self._put_off(cast(CheckedJob, job), None, self._lanes.put_off(_recipient(job)))
            return None
        self._places[job.id] = place
        return job, queue

    def _until_due(self) -> float:
        """Put what is due into the queue. Returns how long to wait for the next message."""
        moment, busy = time.time(), bool(self._lanes.busy)
        if busy and moment < self._next_look:  # thousands may be on their way
            return max(0.01, self._next_look - moment)
        self._next_look = moment + BUSY_WAIT_SECONDS
        due = self.connection.execute_command(*due_command(moment))
        longest = BUSY_WAIT_SECONDS if busy else WAIT_SECONDS
        return longest if due is None else min(longest, max(0.01, float(due) - moment))

    def _deliver(self, job: CheckedJob, queue: Queue, execution: Execution) -> None:
        failure: NotDelivered | None = None
        try:
            with self._heartbeats.during(job, execution):
                try:
                    if not job.is_delivery:
                        raise NotOurs(f"{job.func_name} is not a delivery")
                    job.perform()
                except NotDelivered as error:
                    failure = error
                except Exception as error:
                    logger.exception("%s", job.description)
                    failure = NotDelivered("Something went wrong", final=isinstance(error, NotOurs))
                with self._open_lock:
                    if self._open.pop(execution.id, None) is None:
                        return  # it was put back, as the worker stops
                self._note(job, queue, execution, failure)
        except RedisError as error:
            # The job counts as abandoned, and its message is sent once more.
            logger.error("%s: Redis: %s", job.description, error)
        finally:
            self._lanes.end(_recipient(job), self._places.pop(job.id))
            if not self._lanes.busy:
                self._state = WorkerStatus.IDLE

    def _note(
        self, job: CheckedJob, queue: Queue, execution: Execution, failure: NotDelivered | None
    ) -> None:
        """Record the outcome of a try, in one transaction."""
        self.handle_execution_ended(job, queue, 0)
        if failure is None:
            self.handle_job_success(job, queue, queue.started_job_registry, execution)
            return
        pauses = process_settings().webhooks.retries
        tries = job.meta.get(TRIES, 0) + 1
        job.meta[TRIES] = tries
        if failure.final or tries > len(pauses):
            logger.warning("%s: failed: %s", job.description, failure)
            job.retries_left = 0
            reason = f"{failure} (try {tries} of {len(pauses) + 1})"
            self.handle_job_failure(job, queue, exc_string=reason, execution=execution)
            return
        wanted = min(failure.retry_after, MAX_RETRY_AFTER)
        pause = max(pauses[tries - 1], wanted) * random.uniform(1, 1 + JITTER)  # noqa: S311
        logger.warning("%s: %s; next try in %.1f s", job.description, failure, pause)
        self._put_off(job, execution, pause)

    def _put_off(self, job: CheckedJob, execution: Execution | None, seconds: float) -> None:
        """Put a job aside until then.

        Args:
            execution: of the try that has ended; None if there was none, and it does not count.
        """
        with self.connection.pipeline() as pipe:
            if execution is None:
                pipe.lrem(self._on_its_way(job), 1, job.id)
            else:
                self.cleanup_execution(job, pipe, execution)
                if seconds:
                    count_delivery(pipe, Delivery.RETRIED)
            meta = self.serializer.dumps(job.meta)
            pipe.hset(job.key, mapping={"status": JobStatus.SCHEDULED, "meta": meta})
            pipe.zadd(SCHEDULED_KEY, {job.id: time.time() + seconds})
            pipe.execute()


def _recipient(job: Job) -> str:
    """Whose place a job takes."""
    return str(job.kwargs.get("to"))

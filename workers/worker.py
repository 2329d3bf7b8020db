"""The RQ worker: runs jobs in its own process, beside its decoder."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from datetime import UTC, datetime
from functools import partial
from queue import SimpleQueue
from types import FrameType
from typing import Any, cast

from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.executions import Execution
from rq.intermediate_queue import IntermediateQueue
from rq.job import Job, JobStatus
from rq.registry import StartedJobRegistry
from rq.utils import now
from rq.worker import WorkerStatus
from rq.worker_registration import register

from app.core.jobs import keys
from app.core.jobs.counted.counts import count_restarts
from app.core.jobs.counted.overview import LOOK_FIELD
from app.core.jobs.events import Step
from app.core.jobs.new_job import queue_key
from app.core.redis.transactions import Transaction
from workers.dequeue import Precedence, SafeQueue
from workers.heartbeats import HEARTBEAT_TTL, Heartbeats
from workers.job import CheckedJob, forget_failure
from workers.maintenance import anything_begun, maintain
from workers.runtime import runtime
from workers.tasks import FORESEEN, hand_over, log_done

logger = logging.getLogger(__name__)

MAINTENANCE_SECONDS = 5
"""How often one of the workers looks for abandoned jobs."""

DEQUEUE_SECONDS = 6

IDLE_BEAT_SECONDS = 10
"""The interval of an idle worker's heartbeats: a third of `SILENT_SECONDS`."""

SUSPENSION_SECONDS = 1.0
"""How often a busy worker asks whether workers are suspended."""

REGISTER_BEATS = 6
"""Heartbeats after which an idle worker puts itself on RQ's list of workers again."""

FULL_MAINTENANCE_SECONDS = 60
"""How often the registries of RQ are cleaned while no job runs."""

WORKER_TTL = 60
"""Seconds an idle worker may be silent before its connection counts as dead."""

SILENT_SECONDS = 30
"""Seconds without a heartbeat after which probes and metrics count a worker as dead. RQ waits two
minutes."""

STOP_SECONDS = 6.0
"""How long a stopping worker continues its current picture; then it puts it back."""

PUT_BACK_SECONDS = 1.5
"""How long putting it back may take; then the worker is ended."""


class PictureWorker(SimpleWorker):
    """Does not fork for a job, as RQ's own worker does: a crash or a time-out ends the decoder and
    not the worker. A missing heartbeat reveals a dead worker instead.
    """

    job_class = CheckedJob
    queue_class = SafeQueue

    max_connection_wait_time = 2.0
    """Seconds between two tries of an idle worker to reach Redis; RQ waits up to a minute."""

    _last_beat = float("-inf")
    _suspension_asked = float("-inf")
    _beats = 0
    _stopping = False

    def work(self, *arguments: Any, **options: Any) -> bool:
        """Work until told to stop. Returns whether there was a job."""
        self._precedence = Precedence(self.queue_names())
        self._stops: SimpleQueue[None] = SimpleQueue()
        self._heartbeats = Heartbeats(self.maintain_heartbeats)
        self._heartbeats.start()
        threading.Thread(target=self._watch_stop, name="watchdog", daemon=True).start()
        return bool(super().work(*arguments, **options))

    def reorder_queues(self, reference_queue: Queue) -> None:
        """Set the order for the next job; RQ calls it for each, with the queue it came from."""
        self._precedence.took(reference_queue.name)
        by_name = {queue.name: queue for queue in self.queues}
        self._ordered_queues = [by_name[name] for name in self._precedence.order]

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, with heartbeats."""
        is_picture = isinstance(job, CheckedJob) and job.is_picture
        if is_picture and job.get_status(refresh=False) is JobStatus.FINISHED:
            # Deleted while it ran and asked for again, it was in the queue as its first run ended:
            # a client that was told that it is done would find it in work once more.
            self.connection.lrem(self._on_its_way(job), 1, job.id)
            return
        execution = self.prepare_execution(job)
        with self._heartbeats.during(job, execution):
            self.perform_job(job, queue, execution)
        self._report_restarts()
        self.set_state(WorkerStatus.IDLE)

    def prepare_execution(self, job: Job) -> Execution:
        """Record and publish the start of the job, and remove it from the intermediate list. RQ
        does so in two round trips, and removes it only for a worker with one queue."""
        with self.connection.pipeline() as pipe:
            execution = Execution.create(job, HEARTBEAT_TTL, pipe, worker_name=self.name)
            self.executions[execution.id] = execution
            self.set_state(WorkerStatus.BUSY, pipe)
            job.prepare_for_execution(self.name, pipe)
            pipe.persist(job.key)
            pipe.lrem(self._on_its_way(job), 1, job.id)
            # Not later: a worker that dies before it has begun would leave the reason of then.
            forget_failure(pipe, job)
            if isinstance(job, CheckedJob) and job.is_picture:
                job.tell(pipe, Step.PROCESSING)
                if isinstance(pipe, Transaction):
                    pipe.meanwhile = partial(hand_over, job)
            pipe.execute()
        return execution

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Nothing: `prepare_execution` has done it."""

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Record the time of the job's end; it is saved with the outcome."""
        job.ended_at = job.last_heartbeat = now()

    def handle_job_success(
        self,
        job: Job,
        queue: Queue,
        started_job_registry: StartedJobRegistry,
        execution: Execution,
    ) -> None:
        """End the job in one round trip. RQ first asks for jobs that depend on it, of which there
        are none, and tells in a further one that this worker is idle."""
        assert job.started_at
        assert job.ended_at
        with self.connection.pipeline() as pipe:
            self.increment_successful_job_count(pipe)
            self.increment_total_working_time(job.ended_at - job.started_at, pipe)
            ttl = job.get_result_ttl(self.default_result_ttl)
            if ttl:
                job._handle_success(
                    ttl,
                    pipeline=pipe,
                    worker_name=self.name,
                    execution_id=execution.id,
                    execution_started_at=execution.created_at,
                    execution_ended_at=job.ended_at,
                )
            if ttl > 0:
                pipe.expire(job.key, ttl)
            else:
                job.cleanup(ttl, pipe, remove_from_queue=False)
            self.cleanup_execution(job, pipe, execution)
            pipe.hset(self.key, "state", WorkerStatus.IDLE)
            pipe.execute()
        self._state = WorkerStatus.IDLE
        if isinstance(job, CheckedJob) and job.is_picture:
            log_done(job)

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """Tell Redis whether this worker has a job, if that has changed."""
        if pipeline is not None or state != self._state:
            super().set_state(state, pipeline)

    def check_for_suspension(self, burst: bool) -> None:
        """Wait while `rq suspend` holds. RQ asks before each job, and beats each time."""
        moment = time.monotonic()
        if moment - self._suspension_asked >= SUSPENSION_SECONDS:
            self._suspension_asked = moment
            super().check_for_suspension(burst)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:
        """Seconds until a running job counts as abandoned."""
        return HEARTBEAT_TTL

    @property
    def dequeue_timeout(self) -> int:
        """Seconds of one wait for a job: RQ looks for abandoned jobs only between two waits."""
        return DEQUEUE_SECONDS

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the current picture, for `STOP_SECONDS` at most. A second signal changes nothing:
        platforms send one to each process, beside the pool's, and it may come in the middle of the
        first."""
        if self._stopping:
            return
        self._stopping = True
        runtime().sandbox.interrupt_after(STOP_SECONDS)
        runtime().stopping.set()  # never waits: code that a handler interrupts cannot set it
        # No thread is started here: what this handler has interrupted may just be starting one.
        # SimpleQueue's put() is the one that may be called from a handler.
        self._stops.put(None)
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def request_force_stop(self, signum: int, frame: FrameType | None) -> None:
        """RQ drops the current picture at a second signal. This does nothing, as the picture is
        finished or put back in any case."""

    def handle_exception(self, job: Job, *exc_info: Any) -> None:
        """Log an unforeseen error, with its traceback. Others have their line already."""
        if not isinstance(exc_info[1], FORESEEN):
            super().handle_exception(job, *exc_info)

    def procline(self, message: str) -> None:
        """Keep the name in `ps`: RQ would set it for each job."""

    def unsubscribe(self) -> None:
        """End the thread that listens for RQ's commands. RQ itself tells it so after the end of its
        subscription, when it may wait for the next one already, and then waits a second for it."""
        if self.pubsub_thread:
            self.pubsub_thread.stop()
        super().unsubscribe()  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Send a heartbeat, every `IDLE_BEAT_SECONDS` at most while idle: RQ
        does so three times around each job, each time in three round trips.

        Another worker takes it off the list of workers if its own entry had expired, as while Redis
        was away; so it is put on it again now and then.
        """
        timeout = min(timeout or SILENT_SECONDS, SILENT_SECONDS)
        if pipeline is not None:
            super().heartbeat(timeout, pipeline)
            register(self, pipeline)
            return
        moment = time.monotonic()
        if moment - self._last_beat < IDLE_BEAT_SECONDS:
            return
        with self.connection.pipeline() as pipe:
            super().heartbeat(timeout, pipe)
            if self._beats % REGISTER_BEATS == 0:
                register(self, pipe)
            if pipe.execute()[0]:  # the entry is new: it had expired
                pipe.hset(self.key, mapping=cast(dict[Any, Any], self.serialize()))
                pipe.expire(self.key, timeout)
                register(self, pipe)
                pipe.execute()
        self._last_beat = moment
        self._beats += 1

    def serialize(self) -> dict[str, Any]:
        """The fields of this worker in Redis, and what computes SSIMULACRA2 in its decoder."""
        return {**super().serialize(), LOOK_FIELD: runtime().sandbox.look}

    def clean_registries(self) -> None:
        """Put back the jobs of dead workers, in all queues: all workers of a queue may be dead.

        RQ's own lock for this lasts 15 minutes if its holder dies, and it fails a job that was lost
        on the way to a worker; our lock is short, and such a job is put back.
        """
        if self.connection.set(keys.MAINTENANCE_LOCK, self.name, nx=True, ex=MAINTENANCE_SECONDS):
            # One for all workers, as the lock is, or each worker would have its own minute.
            due = self.connection.set(
                keys.REGISTRIES_LOCK, self.name, nx=True, ex=FULL_MAINTENANCE_SECONDS
            )
            if due or anything_begun(self.connection):
                maintain(self.connection, self.job_class, self.serializer)
        self.last_cleaned_at = datetime.now(UTC)  # type: ignore[assignment]

    def clean_group_registries(self) -> None:
        """Does nothing: our jobs have no groups."""

    def _on_its_way(self, job: Job) -> str:
        """The key of the list of jobs that were taken out of a queue and not begun."""
        return IntermediateQueue.get_intermediate_queue_key(queue_key(job.origin))

    def _report_restarts(self) -> None:
        """Count the replaced decoders. Counts that Redis does not accept are sent with the next."""
        restarts = runtime().sandbox.restarts
        if restarts:
            with contextlib.suppress(RedisError):
                count_restarts(self.connection, restarts)
                restarts.clear()

    def _watch_stop(self) -> None:
        """End the process if it does not end by itself after a signal."""
        self._stops.get()
        # RQ ends an idle worker by an exception out of its handler. Code that happens to run may
        # swallow it, and a Redis that went away at the same moment may hold the worker up.
        time.sleep(STOP_SECONDS + PUT_BACK_SECONDS)
        os._exit(1)

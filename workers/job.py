"""The jobs that a worker may run: only the functions that `app.core.jobs.keys` names."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import redis
from redis.client import Pipeline
from redis.typing import EncodableT, FieldT
from rq import get_current_job
from rq.exceptions import DeserializationError
from rq.job import Job, JobStatus
from rq.registry import FinishedJobRegistry, StartedJobRegistry
from rq.results import Result
from rq.serializers import JSONSerializer
from rq.utils import utcformat

from app.core.jobs import keys
from app.core.jobs.batches import Settling
from app.core.jobs.counted.counts import Delivery, count_delivery, count_done, count_failed
from app.core.jobs.events import Recorded, Step, publish
from app.core.jobs.job import JobState, ended_job
from app.core.jobs.webhooks.deliveries import RECIPIENTS, tell_noted
from app.core.jobs.webhooks.messages import image_message, link_message
from app.core.picture.filenames import clean_filename
from workers.settings import process_settings

FUNCTIONS = frozenset(
    {
        keys.CONVERT_FUNCTION,
        keys.CLEANUP_FUNCTION,
        keys.FETCH_FUNCTION,
        keys.TAKE_FUNCTION,
        keys.DELIVER_FUNCTION,
    }
)
FOLLOWED = frozenset({keys.CONVERT_FUNCTION, keys.FETCH_FUNCTION, keys.TAKE_FUNCTION})
"""The functions whose end somebody waits for."""
CALLBACKS = frozenset(
    {keys.FAILURE_FUNCTION, keys.FETCH_FAILURE_FUNCTION, keys.DELIVER_FAILURE_FUNCTION}
)

OVER = "over"
"""In the `meta` of a delivery that has failed for good: sent again, it begins anew."""


def tell_end(connection: redis.Redis, job: Job, state: JobState, *, noted: bool = False) -> None:
    """Enqueue the deliveries of the end of a picture's job to its recipients; with a pipeline, to
    those that it has when that is executed.

    Args:
        noted: whether it had recipients when it was read.
    """
    settings = process_settings()
    # Without either there is nobody to tell, and pictures are many.
    if noted or settings.webhooks.enabled:
        message = image_message(ended_job(job, state), settings.downloads)
        connection.execute_command(*tell_noted(message, job.key))


def tell_unfetched(connection: redis.Redis, job: Job, *, noted: bool = False) -> None:
    """The same for an upload by its URL that has failed: there is no picture whose end could be
    told."""
    if noted or process_settings().webhooks.enabled:
        # One that is sent again by hand has forgotten its arguments.
        url, filename = job.kwargs.get("url", ""), clean_filename(job.kwargs.get("filename", ""))
        message = link_message(job.id, url, filename, job.meta)
        connection.execute_command(*tell_noted(message, job.key))


def settle(pipeline: Pipeline, job_id: str) -> None:
    """Count a job that has ended in its batches, in the transaction that ends it."""
    settings = process_settings()
    settling = Settling(settings.upload.max_age_seconds, settings.webhooks.enabled)
    pipeline.execute_command(*settling.settle(job_id))


def forget_failure(connection: redis.Redis, job: Job) -> None:
    """Remove the error of the run before, from a failed job that was sent again; with a pipeline,
    when that is executed."""
    if "error" in job.meta:
        del job.meta["error"]
        job.meta.pop("error_code", None)
        connection.hset(job.key, "meta", job.serializer.dumps(job.meta))


def current_job() -> Job:
    """The job whose function runs."""
    job = get_current_job()
    assert job is not None, "a function of a job runs as an RQ job"
    return job


class NotOurs(Exception):
    """The job names a function that is not ours."""


class CheckedJob(Job):
    """A job as a worker reads it from Redis. RQ imports and calls whatever function a job names, so
    write access to Redis would be enough to run code here."""

    _has_recipients = False

    def restore(self, raw_data: Any) -> Any:
        """Read the job, without RQ's callbacks and queries that we never use."""
        restored = super().restore(raw_data)
        self._has_recipients = RECIPIENTS.encode() in raw_data
        self._success_callback_name = None
        self._stopped_callback_name = None
        if self._failure_callback_name not in CALLBACKS:
            self._failure_callback_name = None
        self.webhooks = []
        if not self.is_ours:
            self.retries_left = None
        return restored

    def _handle_success(self, result_ttl: Any, pipeline: Pipeline, *args: Any, **named: Any) -> Any:
        """What RQ adds to the transaction that ends a job: of the job only what the run may have
        changed, where RQ writes all of it again; and also its `meta`, its count and its event."""
        assert self.started_at
        assert self.ended_at
        self._forget_url()
        ended: dict[FieldT, EncodableT] = {
            "status": JobStatus.FINISHED,
            "started_at": utcformat(self.started_at),
            "ended_at": utcformat(self.ended_at),
            "last_heartbeat": utcformat(self.ended_at),
            "meta": self.serializer.dumps(self.meta),
            # Deleted while it ran and asked for again, the job there has another submission's
            # arguments: what has ended is this one, with its files.
            "data": zlib.compress(self.data),
        }
        pipeline.hset(self.key, mapping=ended)
        Result.create(
            self, Result.Type.SUCCESSFUL, result_ttl, self._result, pipeline=pipeline, **named
        )
        self.finished_job_registry.add(self, result_ttl, pipeline)
        if self.is_picture:
            count_done(pipeline, self.meta)
            tell_end(pipeline, self, JobState.DONE, noted=self._has_recipients)
        if self.is_delivery:
            count_delivery(pipeline, Delivery.DELIVERED)
        if self.is_followed:
            settle(pipeline, self.id)
            self.tell(pipeline, Step.DONE)

    def _handle_failure(self, exc_string: Any, pipeline: Pipeline, *args: Any, **named: Any) -> Any:
        """The same for a job that has failed for good, also when its worker had died. A client
        that hears of it here finds it failed; that of `report_failure` comes somewhat too soon."""
        super()._handle_failure(exc_string, pipeline, *args, **named)
        if self.is_link:
            tell_unfetched(pipeline, self, noted=self._has_recipients)
        if self._forget_url():
            pipeline.hset(self.key, "data", zlib.compress(self.data))
        if self.is_picture:
            count_failed(pipeline, self.meta)
            tell_end(pipeline, self, JobState.FAILED, noted=self._has_recipients)
        if self.is_delivery:
            pipeline.hset(self.key, "meta", self.serializer.dumps({OVER: True}))
            count_delivery(pipeline, Delivery.FAILED)
        if self.is_followed:
            settle(pipeline, self.id)
            self.tell(pipeline, Step.FAILED)

    def _forget_url(self) -> bool:
        """Drop the arguments of a fetch whose outcome is kept: a URL may hold a secret. Returns
        whether it is one."""
        if not self.is_link:
            return False
        self.kwargs = {}
        return True

    @property
    def started_job_registry(self) -> StartedJobRegistry:
        return _started(self.origin, self.connection)

    @property
    def finished_job_registry(self) -> FinishedJobRegistry:
        return _finished(self.origin, self.connection)

    def tell(self, pipeline: Pipeline, step: Step) -> None:
        """Publish a step in the transaction that records it; of a conversion also what that
        records, which spares the web a question."""
        arguments: Any = self.kwargs if self.is_picture else None
        recorded = None
        if isinstance(arguments, dict) and "token" in arguments:  # else it will fail
            outcome = (self.ended_at, self.meta) if step is Step.DONE else ()
            recorded = Recorded(arguments["token"], *outcome)
        publish(pipeline, self.id, step, recorded)

    @property
    def is_delivery(self) -> bool:
        """Whether it takes a message to a recipient."""
        return self.is_ours and self.func_name == keys.DELIVER_FUNCTION

    @property
    def is_picture(self) -> bool:
        """Whether it is a conversion."""
        return self.is_ours and self.func_name == keys.CONVERT_FUNCTION

    @property
    def is_link(self) -> bool:
        """Whether it is an upload by its URL."""
        return self.is_ours and self.func_name == keys.TAKE_FUNCTION

    @property
    def is_followed(self) -> bool:
        """Whether somebody waits for its end."""
        return self.is_ours and self.func_name in FOLLOWED

    @property
    def is_ours(self) -> bool:
        """Whether it is one of `FUNCTIONS`."""
        try:
            # With an instance RQ takes the function from that.
            return self.func_name in FUNCTIONS and self.instance is None
        except DeserializationError:
            return False

    @property
    def func(self) -> Callable[..., Any]:
        """The function to run.

        Raises:
            NotOurs: if it is not in `FUNCTIONS`.
        """
        if not self.is_ours:
            raise NotOurs(f"{self.func_name} is not a function of this server")
        function: Callable[..., Any] = super().func
        return function


# RQ makes four registries for each job, and looks at length at the serializer of each.


@lru_cache
def _started(queue: str, connection: redis.Redis) -> StartedJobRegistry:
    return StartedJobRegistry(
        queue, connection=connection, job_class=CheckedJob, serializer=JSONSerializer
    )


@lru_cache
def _finished(queue: str, connection: redis.Redis) -> FinishedJobRegistry:
    return FinishedJobRegistry(
        queue, connection=connection, job_class=CheckedJob, serializer=JSONSerializer
    )

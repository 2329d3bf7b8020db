"""Files that a worker fetches by their URL, for a request that waits."""

from __future__ import annotations

import json
import secrets
from typing import Any

from rq import Callback, Queue, Retry
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import now

from app.core.errors import SourceNotFound, Unavailable
from app.core.jobs import keys
from app.core.jobs.events import Events
from app.core.jobs.job import NO_CONNECTION
from app.core.jobs.new_job import NewJob
from app.core.jobs.questions import TIMEOUT_MARGIN, check_room, enqueue_command, queue_key
from app.core.picture.priority import Priority
from app.core.redis.client import FailFastRedis
from app.core.redis.commands import Batch, Question

REREAD_SECONDS = 5.0
"""How often a job is read when no event comes."""

WAIT_SECONDS = 60
"""How long a job waits for a worker; whoever asked has given up by then, and it is gone."""

KEPT_SECONDS = 60
"""How long the outcome of a job is kept."""

RETRIES = 1
"""How often a job is put back after its worker died or its storage failed."""

_ENDED = {JobStatus.FINISHED.value.encode(), JobStatus.FAILED.value.encode()}


class Fetches:
    """Has workers fetch files, and waits for them without a thread."""

    def __init__(
        self,
        redis: FailFastRedis,
        events: Events,
        *,
        enabled: bool,
        seconds: int,
        max_waiting: int = 0,
    ) -> None:
        """
        Args:
            enabled: whether files are fetched at all.
            seconds: how long a worker may take for one.
            max_waiting: how many pictures may wait for a worker; 0 for any number.
        """
        self._redis = redis
        self._events = events
        self._enabled = enabled
        self._seconds = seconds
        self._max_waiting = max_waiting

    async def fetch(self, url: str, key: str) -> int:
        """Have the file of this URL stored under this key, which is for the caller to delete: what
        lies below `paths.FETCHED` goes by itself after a quarter of an hour.

        Returns:
            its bytes.

        Raises:
            SourceNotFound: if the file cannot be had; the message tells the client why.
            Unavailable: if no worker could do it.
            QueueFull: if too many pictures wait for one.
            redis.RedisError: if Redis cannot be reached.
        """
        if not self._enabled:
            raise SourceNotFound("Pictures are not fetched from URLs here")
        job_id = f"fetch-{secrets.token_hex(16)}"
        with self._events.follow(job_id) as bell:
            await self._redis.ask(self._enqueue(job_id, url, key))
            while True:
                status, meta = await self._redis.ask(_read(job_id))
                if status is None:
                    raise Unavailable("No worker has time for it; try again")
                if status in _ENDED:
                    return _size(status, meta)
                await bell.wait(REREAD_SECONDS)

    def _enqueue(self, job_id: str, url: str, key: str) -> Question[None]:
        yield from check_room(Priority.INTERACTIVE, self._max_waiting)
        queue = queue_key(Priority.INTERACTIVE)
        job = NewJob.create(
            keys.FETCH_FUNCTION,
            kwargs={"url": url, "key": key},
            connection=NO_CONNECTION,
            serializer=JSONSerializer,
            id=job_id,
            origin=Priority.INTERACTIVE.value,
            status=JobStatus.QUEUED,
            description="a picture by its URL",  # which is logged, and may hold a secret
            timeout=self._seconds + TIMEOUT_MARGIN,
            result_ttl=KEPT_SECONDS,
            failure_ttl=KEPT_SECONDS,
            retry=Retry(max=RETRIES),
            on_failure=Callback(keys.FETCH_FAILURE_FUNCTION),
        )
        job.enqueued_at = now()
        yield Batch(
            [
                ("SADD", Queue.redis_queues_keys, queue),
                enqueue_command(job, queue, job.to_dict(), WAIT_SECONDS),
            ],
            atomic=True,
        )


def _read(job_id: str) -> Question[tuple[bytes | None, dict[str, Any]]]:
    """The status of the job, None if it is gone, and its `meta`."""
    ((status, meta),) = yield Batch([("HMGET", Job.key_for(job_id), "status", "meta")])
    return status, json.loads(meta) if meta else {}


def _size(status: bytes, meta: dict[str, Any]) -> int:
    """The outcome of a job that has ended."""
    if status == JobStatus.FINISHED.value.encode():
        return int(meta["size"])
    reason = str(meta.get("error", "Something went wrong on the server"))
    raise (SourceNotFound if meta.get("error_code") == SourceNotFound.code else Unavailable)(reason)

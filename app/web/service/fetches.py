"""Files that a worker fetches by their URL, for a request that waits."""

from __future__ import annotations

from typing import Any

from rq.job import JobStatus

from app.core.errors import SourceNotFound, Unavailable
from app.core.jobs import keys
from app.core.jobs.events import Events
from app.core.jobs.fetched.fetching import enqueue_fetch, new_id, read_fetch
from app.core.jobs.new_job import TIMEOUT_MARGIN
from app.core.picture.priority import Priority
from app.core.redis.client import FailFastRedis

REREAD_SECONDS = 5.0
"""How often a job is read when no event comes."""

WAIT_SECONDS = 60
"""How long a job waits for a worker; then the request has given up, and the job is gone."""

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
        job_id = new_id()
        with self._events.follow(job_id) as bell:
            await self._redis.ask(
                enqueue_fetch(
                    job_id,
                    keys.FETCH_FUNCTION,
                    {"url": url, "key": key},
                    priority=Priority.INTERACTIVE,
                    timeout=self._seconds + TIMEOUT_MARGIN,
                    kept_seconds=KEPT_SECONDS,
                    retries=RETRIES,
                    max_waiting=self._max_waiting,
                    ttl=WAIT_SECONDS,
                )
            )
            while True:
                status, meta = await self._redis.ask(read_fetch(job_id))
                if status is None:
                    raise Unavailable("No worker has time for it; try again")
                if status in _ENDED:
                    return _size(status, meta)
                await bell.wait(REREAD_SECONDS)


def _size(status: bytes, meta: dict[str, Any]) -> int:
    """The outcome of a job that has ended."""
    if status == JobStatus.FINISHED.value.encode():
        return int(meta["size"])
    reason = str(meta.get("error", "Something went wrong on the server"))
    raise (SourceNotFound if meta.get("error_code") == SourceNotFound.code else Unavailable)(reason)

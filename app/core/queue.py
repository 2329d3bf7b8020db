"""The RQ queues of the pictures: submit, look up, remove. RQ alone keeps the status of a job."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any, cast

import redis
from redis.backoff import ExponentialBackoff
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import WatchError
from redis.retry import Retry as ConnectionRetry
from rq import Callback, Queue, Retry
from rq.exceptions import (
    DeserializationError,
    DuplicateJobError,
    InvalidJobOperation,
    NoSuchJobError,
)
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core import keys
from app.core.conversion import Conversion
from app.core.facts import Facts
from app.core.moves import move
from app.core.places import place
from app.core.priority import Priority
from app.core.removal import Doomed, remove_as_read

logger = logging.getLogger(__name__)

SOCKET_TIMEOUT = 5
"""Seconds that a command to Redis may take before the web gives up."""

RETRIES = 3
"""How often a job is put back after its worker died or its storage failed."""

GRACE_SECONDS = 3600
"""How much longer than `max_age` Redis keeps a job. The cleanup deletes it before, with its files;
this only bounds what is left behind where no cleanup runs."""

INDEX_SECONDS = 30 * 24 * 3600
"""How much longer the index of a picture's jobs lives: as long as a job may wait."""

READ_AT_ONCE = 100
"""Jobs that are read or deleted in one round trip: Redis answers nobody else for the few
milliseconds that takes."""

_FIELDS = ("data", "status", "origin", "enqueued_at", "ended_at", "meta")
"""What `PictureJob` is made of; all the others would take twice as long to read."""

TIMEOUT_MARGIN = 30
"""Seconds a job may take beside its conversion, to read and to write its files."""


class JobState(StrEnum):
    """A job's status in the API."""

    QUEUED = "queued"  # waits for a worker
    PROCESSING = "processing"  # a worker has it
    DONE = "done"  # its result is stored
    FAILED = "failed"  # it ended without a result


_STATES = {
    JobStatus.QUEUED: JobState.QUEUED,
    JobStatus.SCHEDULED: JobState.QUEUED,
    JobStatus.DEFERRED: JobState.QUEUED,
    JobStatus.STARTED: JobState.PROCESSING,
    JobStatus.FINISHED: JobState.DONE,
}
"""What RQ's status means in the API; all others are ends without a result."""


@dataclass(frozen=True, slots=True)
class PictureJob:
    """What RQ knows of one submission of a picture."""

    conversion: Conversion
    token: str
    """Tells this submission from others of the same conversion; part of its storage keys."""
    state: JobState
    filename: str
    submitted: datetime | None
    ended: datetime | None
    priority: Priority = Priority.INTERACTIVE
    """The queue it is, or was, in."""
    facts: Facts = field(default_factory=Facts)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (JobState.DONE, JobState.FAILED)

    @property
    def original_key(self) -> str:
        """Where its original is stored."""
        return keys.original(self.conversion, self.token)

    @property
    def result_key(self) -> str:
        """Where its result is stored, once it is done."""
        return keys.result(self.conversion, self.token)


class NewJob(Job):
    """A job that nobody has taken yet."""

    def to_dict(self, include_meta: bool = True, include_result: bool = True) -> dict[str, Any]:
        """Its fields in Redis, without those that are empty: RQ reads them as it reads none, and
        seven of them would take a fifth of what a job takes."""
        fields = super().to_dict(include_meta, include_result)
        return {name: value for name, value in fields.items() if value != ""}


def connect(url: str) -> redis.Redis:
    """A client with a pool of connections, for use from several threads.

    A command that finds its connection closed is tried once more on a new one. One that is not
    answered in time is not: who waits has waited long enough.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=SOCKET_TIMEOUT,
        socket_connect_timeout=SOCKET_TIMEOUT,
        retry=ConnectionRetry(
            ExponentialBackoff(cap=0.1, base=0.01), 1, supported_errors=(RedisConnectionError,)
        ),
    )


class PictureQueue:
    """Conversions as RQ jobs. All calls block; an asyncio server makes them in a thread."""

    def __init__(
        self,
        connection: redis.Redis,
        *,
        max_age_seconds: float,
        conversion_timeout: int,
        max_waiting: int = 0,
    ) -> None:
        self.connection = connection
        self._queues = {
            priority: Queue(
                priority.value, connection=connection, serializer=JSONSerializer, job_class=NewJob
            )
            for priority in Priority
        }
        self._ttl = int(max_age_seconds) + GRACE_SECONDS
        self._timeout = conversion_timeout + TIMEOUT_MARGIN
        self._max_waiting = max_waiting

    def submit(
        self,
        conversion: Conversion,
        *,
        token: str,
        filename: str,
        size: int,
        media_type: str | None = None,
        priority: Priority = Priority.INTERACTIVE,
        replaces: PictureJob | None = None,
    ) -> PictureJob | None:
        """Enqueue the conversion, whose original is in storage by now.

        Args:
            size: bytes of the original.
            media_type: of the original, if it is known.
            replaces: the job of the same conversion that goes as this one comes, in one step: cut
                off between two, a picture that was accepted would be unknown.

        Returns:
            the job, or None if one of the same conversion is there already, or no longer the one to
            replace.
        """
        index = keys.picture_jobs(conversion.md5)
        options = conversion.options.to_dict()
        with self.connection.pipeline() as pipe:
            # The index comes first: an entry without a job is passed over, a job without an entry
            # would not be found.
            pipe.zadd(index, {conversion.job_id: time.time()})
            pipe.expire(index, self._ttl + INDEX_SECONDS)
            pipe.execute()
        enqueue = partial(
            self._queues[priority].enqueue_call,
            keys.CONVERT_FUNCTION,
            kwargs={"conversion": conversion.to_dict(), "token": token, "filename": filename},
            job_id=conversion.job_id,
            description=f"{filename} → {conversion.format} {conversion.options}".rstrip(),
            meta={
                "filename": filename,
                "format": conversion.format,
                "quality": conversion.quality,
                **({"options": options} if options else {}),
                "size_in": size,
                **({"media_type": media_type} if media_type else {}),
            },
            timeout=self._timeout,
            result_ttl=self._ttl,
            failure_ttl=self._ttl,
            retry=Retry(max=RETRIES),
            on_failure=Callback(keys.FAILURE_FUNCTION),
        )
        if replaces is not None:
            return self._replace(replaces, enqueue)
        try:
            return _view(enqueue(unique=True))
        except DuplicateJobError:
            self._drop_remnant(conversion.job_id)
            return None

    def is_full(self, priority: Priority) -> bool:
        """Whether as many jobs of this priority wait as may, however many there are of others.
        Many who ask at once may exceed it by their number."""
        if not self._max_waiting:
            return False
        return self.connection.llen(self._queues[priority].key) >= self._max_waiting

    def promote(self, job: PictureJob) -> bool:
        """Move a job that waits as bulk to the interactive ones, behind those that wait there.

        Returns:
            whether it did; False if it does not wait any more.
        """
        return move(
            self.connection,
            job.conversion.job_id,
            self._queues[Priority.BULK].key,
            self._queues[Priority.INTERACTIVE],
        )

    def places(self, jobs: Sequence[PictureJob]) -> list[int | None]:
        """The place of each job, 1 for the next one; None if it does not wait in its queue.

        One round trip. Redis goes through a queue from its front to the job and no further; only of
        one that a worker is just taking it sees the whole.
        """
        waiting = [job for job in jobs if job.state is JobState.QUEUED]
        if not waiting:
            return [None] * len(jobs)
        with self.connection.pipeline() as pipe:
            for priority in (Priority.INTERACTIVE, Priority.BULK):
                pipe.llen(self._queues[priority].key)
            for job in waiting:
                pipe.lpos(self._queues[job.priority].key, job.conversion.job_id)
            interactive, bulk, *indexes = pipe.execute()
        found = {
            job.conversion.job_id: place(index, job.priority, interactive, bulk)
            for job, index in zip(waiting, indexes, strict=True)
            if index is not None
        }
        return [found.get(job.conversion.job_id) for job in jobs]

    def get(self, job_id: str) -> PictureJob | None:
        """The job, or None if there is none."""
        return self.get_many([job_id])[0]

    def get_many(self, job_ids: Iterable[str]) -> list[PictureJob | None]:
        """The jobs in the order of the ids, None for each that is not there."""
        return [_view(job) for part in _parts(job_ids) for job, _ in self._read(part)]

    def find(self, md5: str) -> list[PictureJob]:
        """All jobs of the picture, the oldest first."""
        job_ids = cast(list[bytes], self.connection.zrange(keys.picture_jobs(md5), 0, -1))
        if not job_ids:
            return []
        return [job for job in self.get_many(id.decode() for id in job_ids) if job]

    def remove_where(
        self, job_ids: Iterable[str], condition: Callable[[PictureJob], bool]
    ) -> list[tuple[PictureJob | None, bool]]:
        """Delete the jobs that have ended and meet the condition, if they still are as it saw them.

        Returns:
            for each id the job as it was read, and whether it was deleted now: not if it was not to
            be, nor if somebody else has deleted, replaced or moved it on meanwhile.
        """
        return [found for part in _parts(job_ids) for found in self._remove_part(part, condition)]

    def _remove_part(
        self, job_ids: list[str], condition: Callable[[PictureJob], bool]
    ) -> list[tuple[PictureJob | None, bool]]:
        read = self._read(job_ids)
        views = [_view(job) for job, _ in read]
        doomed = {
            job.id: Doomed(job, view.conversion.md5, fields)
            for (job, fields), view in zip(read, views, strict=True)
            if job and view and view.finished and condition(view)
        }
        removed = dict(
            zip(doomed, remove_as_read(self.connection, list(doomed.values())), strict=True)
        )
        return [(view, removed.get(id, False)) for id, view in zip(job_ids, views, strict=True)]

    def _replace(self, expected: PictureJob, enqueue: Callable[..., Job]) -> PictureJob | None:
        with self.connection.pipeline() as pipe:
            job = self._watch(pipe, expected)
            if job is None:
                return None
            try:
                job.delete(pipeline=pipe)
                # Not unique, which RQ does in a step of its own: the watched key sees to that.
                new = enqueue(pipeline=pipe)
                pipe.execute()
            except (WatchError, InvalidJobOperation):
                return None
        return _view(new)

    def _watch(self, pipe: Pipeline, expected: PictureJob) -> Job | None:
        """The job if it still is this submission in this state, and stays so until `pipe`, which is
        in its transaction then, is executed; or None."""
        job_id = expected.conversion.job_id
        pipe.watch(Job.key_for(job_id))
        job = self._fetch(job_id)
        current = _view(job)
        if current is None or (current.token, current.state) != (expected.token, expected.state):
            return None
        pipe.multi()
        return job

    def _fetch(self, job_id: str) -> Job | None:
        """The whole job, or None if it is not there."""
        data = cast(dict[bytes, bytes], self.connection.hgetall(Job.key_for(job_id)))
        return self._restore(job_id, data)

    def _read(self, job_ids: list[str]) -> list[tuple[Job | None, dict[bytes, bytes]]]:
        """The jobs with `_FIELDS` alone, and these as they are in Redis.

        As `Job.fetch_many`, which one remnant of a deleted job would make fail for all.
        """
        with self.connection.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hmget(Job.key_for(job_id), _FIELDS)
            answers = pipe.execute()
        hashes = [
            {
                name.encode(): value
                for name, value in zip(_FIELDS, values, strict=True)
                if value is not None
            }
            for values in answers
        ]
        return [
            (self._restore(job_id, fields), fields)
            for job_id, fields in zip(job_ids, hashes, strict=True)
        ]

    def _restore(self, job_id: str, data: dict[bytes, bytes]) -> Job | None:
        job = Job(job_id, connection=self.connection, serializer=JSONSerializer)
        try:
            job.restore(data)
        except NoSuchJobError:
            return None
        return job

    def _drop_remnant(self, job_id: str) -> None:
        """Delete what is left of a job that was deleted from outside while a worker had it: a hash
        with a heartbeat and nothing else, which would keep the same picture from ever coming in."""
        key = Job.key_for(job_id)
        with self.connection.pipeline() as pipe:
            pipe.watch(key)
            if pipe.hexists(key, "data"):
                return
            pipe.multi()
            pipe.delete(key)
            with contextlib.suppress(WatchError):
                pipe.execute()


def _parts(job_ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids, `READ_AT_ONCE` at a time."""
    left = iter(job_ids)
    while part := list(islice(left, READ_AT_ONCE)):
        yield part


def _view(job: Job | None) -> PictureJob | None:
    if job is None:
        return None
    try:
        arguments: dict[str, Any] = job.kwargs
        conversion = Conversion.from_dict(arguments["conversion"])
        arguments["token"], arguments["filename"]
    except (DeserializationError, LookupError, TypeError, ValueError) as error:
        # Somebody else has written it: one of these would end every cleanup at the same place.
        logger.warning("the job %s makes no sense: %r", job.id, error)
        return None
    return PictureJob(
        conversion=conversion,
        token=arguments["token"],
        state=_STATES.get(job.get_status(refresh=False), JobState.FAILED),
        filename=arguments["filename"],
        submitted=job.enqueued_at,
        ended=job.ended_at,
        # One that was enqueued before there were priorities has none.
        priority=Priority.BULK if job.origin == Priority.BULK else Priority.INTERACTIVE,
        facts=Facts.from_meta(job.meta),
    )

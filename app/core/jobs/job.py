"""A job as the API sees it, read from RQ's fields."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, cast

import redis
from rq.exceptions import DeserializationError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer

from app.core.jobs.facts import Facts
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.priority import Priority
from imaging.formats import Format

logger = logging.getLogger(__name__)

FIELDS = ("data", "status", "origin", "enqueued_at", "ended_at", "meta")
"""The fields of `PictureJob`; all of RQ's would take twice as long to read."""

NO_CONNECTION = cast(redis.Redis, object())
"""RQ requires a connection for each job; here it is never used."""

PARSED_AT_ONCE = 512
"""Parsed jobs in the cache, some 2 KB each with their fields: a picture is looked up again and
again."""


class JobState(StrEnum):
    """A job's status in the API."""

    QUEUED = "queued"  # waits for a worker
    PROCESSING = "processing"  # a worker has it
    DONE = "done"  # its result is stored
    FAILED = "failed"  # it ended without a result


_STATES = {
    JobStatus.QUEUED.value.encode(): JobState.QUEUED,
    JobStatus.SCHEDULED.value.encode(): JobState.QUEUED,
    JobStatus.DEFERRED.value.encode(): JobState.QUEUED,
    JobStatus.STARTED.value.encode(): JobState.PROCESSING,
    JobStatus.FINISHED.value.encode(): JobState.DONE,
}
"""RQ's status in the API; all others are ends without a result."""


@dataclass(frozen=True)
class PictureJob:
    """One submission of a picture, from RQ."""

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
        """Whether it has ended."""
        return self.state in (JobState.DONE, JobState.FAILED)

    @property
    def format(self) -> Format | None:
        """Of its result; None where it is to be one of several, until it is done."""
        done = self.state is JobState.DONE
        return self.conversion.format or (self.facts.format if done else None)

    @property
    def named_format(self) -> str:
        """The format as answers tell it: where it was left open `auto`, until there is a result."""
        return self.format or self.conversion.named

    @property
    def named(self) -> dict[str, Any]:
        """What answers and messages name it by: md5, format and quality, and the options if there
        are any."""
        return {**self.conversion.to_dict(), "format": self.named_format}

    def download_url(self, downloads: str) -> str:
        """The address of the download that gets its result and no other.

        Args:
            downloads: the start of the addresses of downloads.
        """
        query = self.conversion.download_query(self.format)
        return f"{downloads}{self.conversion.md5}?{query}"

    @property
    def original_key(self) -> str:
        """Where its original is stored."""
        return paths.original(self.conversion, self.token)

    @cached_property
    def result_key(self) -> str:
        """Where its result is stored, once it is done."""
        return paths.result(self.conversion, self.token)


def ended_job(job: Job, state: JobState) -> PictureJob:
    """The job of a picture as it is once RQ has recorded this end.

    Args:
        job: as its worker has it.
    """
    arguments: dict[str, Any] = job.kwargs
    return PictureJob(
        Conversion.from_dict(arguments["conversion"]),
        arguments["token"],
        state,
        arguments["filename"],
        job.enqueued_at,
        job.ended_at,
        facts=Facts.from_meta(job.meta),
    )


def parse_job(job_id: str, values: Sequence[bytes | None]) -> PictureJob | None:
    """The job whose `FIELDS` have these values; None for missing or
    invalid values."""
    if values[0] is None:
        return None
    try:
        return _parse(tuple(values))
    except (DeserializationError, LookupError, TypeError, ValueError) as error:
        # Another program has written it: it would end every cleanup at the same place.
        logger.warning("the job %s is invalid: %r", job_id, error)
        return None


@lru_cache(PARSED_AT_ONCE)
def _parse(values: tuple[bytes | None, ...]) -> PictureJob:
    data, status, origin, enqueued, ended, meta = values
    conversion, token, filename = _arguments(data or b"")
    return PictureJob(
        conversion=conversion,
        token=token,
        state=_STATES.get(status or b"", JobState.FAILED),
        filename=filename,
        submitted=time_of(enqueued),
        ended=time_of(ended),
        # A job from before there were priorities has none.
        priority=Priority.BULK if origin == _BULK else Priority.INTERACTIVE,
        facts=_facts(meta),
    )


_BULK = Priority.BULK.value.encode()


_Arguments = tuple[Conversion, str, str]
"""The conversion, the token and the name of the file."""

_known_arguments: dict[bytes, _Arguments] = {}
"""The last ones, by RQ's `data` of their jobs."""

_EMPTY = Job("arguments", connection=NO_CONNECTION, serializer=JSONSerializer)
"""Copied, as RQ looks at length at the serializer of each job that it makes."""


def keep_arguments(data: bytes, arguments: _Arguments) -> None:
    """Keep what the `data` of a job says, which stays the same in all its states."""
    if len(_known_arguments) >= PARSED_AT_ONCE:
        _known_arguments.pop(next(iter(_known_arguments)), None)
    _known_arguments[data] = arguments


def _arguments(data: bytes) -> _Arguments:
    """What RQ's `data` of a job says."""
    if (known := _known_arguments.get(data)) is not None:
        return known
    job = copy.copy(_EMPTY)
    job.restore({b"data": data})
    given: dict[str, Any] = job.kwargs
    arguments = Conversion.from_dict(given["conversion"]), given["token"], given["filename"]
    keep_arguments(data, arguments)
    return arguments


def time_of(value: bytes | None) -> datetime | None:
    """A time as RQ writes it, in UTC.

    Raises:
        ValueError: if it is not a time.
    """
    return datetime.fromisoformat(value.decode()).astimezone(UTC) if value else None


@lru_cache(PARSED_AT_ONCE)
def _facts(meta: bytes | None) -> Facts:
    """What the `meta` of a job says, which is the same while it waits and while it is converted."""
    try:
        known = json.loads(meta.decode()) if meta else {}
    except ValueError:  # of another program, which writes it in another way
        known = {}
    return Facts.from_meta(known if isinstance(known, dict) else {})

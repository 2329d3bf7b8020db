"""The RQ job functions that fetch a file by its URL: for a waiting request, or as an upload."""

from __future__ import annotations

import hashlib
import logging
from types import TracebackType
from typing import Any, TypeVar

import redis
from rq.exceptions import AbandonedJobError
from rq.job import Job

from app.core.errors import (
    ConversionInterrupted,
    SizeExceeded,
    SourceNotFound,
    StorageError,
    TinyImageError,
    Unavailable,
)
from app.core.jobs.events import Step, publish
from app.core.jobs.fetched.links import JOBS
from app.core.jobs.keys import TAKE_FUNCTION
from app.intake.picture import Picture
from app.outgoing.fetch import fetch
from app.outgoing.rules import OutgoingError, TooLarge
from workers.intake import worker_intake
from workers.job import CheckedJob, current_job, tell_unfetched
from workers.runtime import runtime

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=TinyImageError)


def fetch_source(url: str, key: str) -> None:
    """Fetch a file and store it under this key. Its size, or why there is none, is left in
    `job.meta`.

    Raises:
        SourceNotFound: if there is none; the job is not tried again.
        StorageError: if the storage fails; the job is tried again.
    """
    here = runtime()
    job = current_job()
    try:
        data = _fetched(job, url)
    except TooLarge as error:
        raise _failed(job, str(error)) from None
    here.transfer(here.storage.put(key, data))
    job.meta["size"] = len(data)


def take_picture(url: str, fields: dict[str, Any], key: str | None, filename: str) -> None:
    """Fetch a picture and make its jobs, as if it had been uploaded with these fields. Their ids,
    or why there are none, are left in `job.meta`.

    Done twice, as after the end of a worker, it finds the jobs that it has made.

    Raises:
        TinyImageError: if there are none; the job is not tried again, unless the storage failed or
            others keep changing the same job.
    """
    here = runtime()
    job = current_job()
    try:
        data = _fetched(job, url)
    except TooLarge:
        max_size = here.settings.upload.max_upload_size
        raise _refused(job, SizeExceeded(f"The picture is larger than {max_size} bytes")) from None
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    intake = worker_intake(job.connection, key)
    try:
        with Picture.of_bytes(data, md5, filename) as picture:
            made = here.run(intake.accept_all(picture, intake.request(fields)))
    except Unavailable:
        raise
    except TinyImageError as error:
        raise _refused(job, error) from None
    job.meta[JOBS] = [each.conversion.job_id for each in made]


def report_failure(
    job: Job,
    connection: redis.Redis,
    error_type: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """Leave the reason in `job.meta` and publish it, as `workers.tasks.report_failure`."""
    if not job.should_retry:
        if error_type is AbandonedJobError:
            reason = "The worker that fetched it stopped"
        else:
            reason = "The storage cannot be reached" if issubclass(error_type, StorageError) else ""
        job.meta.setdefault("error", reason or TinyImageError.example)
        job.meta.setdefault("error_code", ConversionInterrupted.code)
        # Not its URL, which may hold a secret.
        logger.warning("%s: failed: %s", job.description, job.meta["error"])
    job.save_meta()
    publish(connection, job.id, Step.RETRYING if job.should_retry else Step.FAILED)
    # RQ's own worker has another kind of job, whose end tells nobody.
    if not (job.should_retry or isinstance(job, CheckedJob)) and job.func_name == TAKE_FUNCTION:
        tell_unfetched(connection, job)


def _fetched(job: Job, url: str) -> bytes:
    """The file of a URL.

    Raises:
        TooLarge: if it is larger than a picture may be.
        SourceNotFound: if it cannot be had; the job is not tried again.
    """
    settings = runtime().settings
    if not settings.fetch.enabled:
        raise _failed(job, "Pictures are not fetched from URLs here")
    try:
        return fetch(url, settings.fetch.rules, settings.upload.max_upload_size)
    except TooLarge:
        raise
    except OutgoingError as error:
        raise _failed(job, str(error)) from None


def _failed(job: Job, reason: str) -> SourceNotFound:
    """Have the job fail for good, with this reason."""
    return _refused(job, SourceNotFound(reason))


def _refused(job: Job, error: E) -> E:
    """Have the job fail for good, with this error."""
    job.retries_left = 0
    job.meta |= {"error": str(error), "error_code": error.code}
    return error

"""The RQ job functions that fetch a file by its URL, for whoever waits for it."""

from __future__ import annotations

import logging
from types import TracebackType

import redis
from rq import get_current_job
from rq.exceptions import AbandonedJobError
from rq.job import Job

from app.core.errors import SourceNotFound, StorageError
from app.core.jobs.events import Step, publish
from app.core.outgoing.fetch import fetch
from app.core.outgoing.rules import OutgoingError
from workers.runtime import runtime

logger = logging.getLogger(__name__)


def fetch_source(url: str, key: str) -> None:
    """Fetch a file and store it under this key. Its size, or why there is none, is left in
    `job.meta`.

    Raises:
        SourceNotFound: if there is none; the job is not tried again.
        StorageError: if the storage fails; the job is tried again.
    """
    here = runtime()
    job = get_current_job()
    assert job is not None, "fetch_source() runs as an RQ job"
    if not here.settings.fetch.enabled:
        raise _failed(job, "Pictures are not fetched from URLs here")
    try:
        data = fetch(url, here.settings.fetch.rules, here.settings.upload.max_upload_size)
    except OutgoingError as error:
        raise _failed(job, str(error)) from None
    here.transfer(here.storage.put(key, data))
    job.meta["size"] = len(data)


def report_failure(
    job: Job,
    connection: redis.Redis,
    error_type: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """Leave the reason in `job.meta` and tell who waits, as `workers.tasks.report_failure`."""
    if not job.should_retry:
        if error_type is AbandonedJobError:
            reason = "The worker that fetched it stopped"
        else:
            reason = "The storage cannot be reached" if issubclass(error_type, StorageError) else ""
        job.meta.setdefault("error", reason or "Something went wrong on the server")
        # Not its URL, which may hold a secret.
        logger.warning("%s: failed: %s", job.description, job.meta["error"])
    job.save_meta()
    publish(connection, job.id, Step.RETRYING if job.should_retry else Step.FAILED)


def _failed(job: Job, reason: str) -> SourceNotFound:
    """Have the job fail for good, with this reason."""
    job.retries_left = 0
    job.meta |= {"error": reason, "error_code": SourceNotFound.code}
    return SourceNotFound(reason)

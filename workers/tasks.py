"""The RQ job functions. Any RQ worker with the JSON serializer can run them."""

from __future__ import annotations

import logging
import time
from types import TracebackType
from typing import Any

import redis
from rq.exceptions import AbandonedJobError
from rq.job import Job
from rq.timeouts import JobTimeoutException
from rq.utils import now

from app.core.errors import ConversionInterrupted, StorageError, TinyImageError
from app.core.jobs.events import Step, publish
from app.core.jobs.job import JobState
from app.core.jobs.queue.questions import Questions
from app.core.picture import paths
from app.core.picture.conversion import Conversion
from app.core.picture.filenames import content_disposition
from app.core.storage.interface import Content, ObjectNotFound
from imaging.data import Data
from imaging.errors import PROCESSING_FAILED, PictureError
from imaging.formats import Format
from imaging.limits import Limits
from imaging.measures import Measures
from imaging.target import Target
from workers.cleanup import sweep
from workers.decoder.sandbox import DecoderCrashed, Interrupted
from workers.job import CheckedJob, current_job, forget_failure, tell_end
from workers.runtime import runtime

logger = logging.getLogger(__name__)

MAX_CRASHES = 2
"""The number of crashes after which a picture is not tried again."""

STORAGE_DELAYS = (1.0, 2.0, 3.0)
"""Seconds a worker waits before it puts a picture back that the storage has failed: the next one
would find the same storage. Each is shorter than a worker that is to stop may take."""

SMALL = 64 * 1024
"""Bytes of the largest original that is read while the start of its job is recorded: at most what
a disk reads at once, as that has neither a time limit nor heartbeats yet."""

FORESEEN = (PictureError, ObjectNotFound, DecoderCrashed, Interrupted, TinyImageError)
"""Exceptions whose reason `report_failure` logs in one line."""


def convert(conversion: dict[str, Any], token: str, filename: str) -> None:
    """Convert a stored original and store the result. The outcome is left in `job.meta`.

    Raises:
        PictureError: if the picture is at fault; the job is not tried again.
        ObjectNotFound: if the original is gone; the same.
        StorageError: if the storage fails; the job is tried again some seconds later.
        DecoderCrashed: if the decoder crashed; the job is tried once more.
        Interrupted: if the worker stops; the job is put back.
    """
    wanted = Conversion.from_dict(conversion)
    here = runtime()
    job = current_job()
    # Our worker publishes the start and the end together with recording them, in one round trip.
    tells = not isinstance(job, CheckedJob)
    if tells:
        publish(job.connection, job.id, Step.PROCESSING)
        forget_failure(job.connection, job)

    def note(measures: Measures) -> None:
        job.meta["measures"] = measures.to_dict()  # kept with the next `save_meta`, at each end

    try:
        begun = here.sandbox.begun(token)
        original = begun.data if begun else _original(wanted, token)
        began = begun.at if begun else time.monotonic()
        result = here.sandbox.convert(original, _target(wanted, job), note)
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        format = wanted.format or Format(job.meta["measures"]["format"])
        content = Content(format.media_type, content_disposition(filename, format))
        here.transfer(here.storage.put(paths.result(wanted, token), result, content))
    except PictureError as error:
        _fail(job, str(error), error.code)
        raise
    except ObjectNotFound:
        _fail(job, "the original is gone; send the picture again", ConversionInterrupted.code)
        raise
    except DecoderCrashed as error:
        job.meta["crashes"] = job.meta.get("crashes", 0) + 1
        if job.meta["crashes"] >= MAX_CRASHES:
            logger.error("%s: %s", filename, error)
            _fail(job, f"the picture crashed the decoder {MAX_CRASHES} times")
        raise
    except Interrupted:
        # Not the picture's fault: this try does not count.
        job.retries_left = (job.retries_left or 0) + 1
        raise
    except StorageError as error:
        logger.error("%s: %s: %s", filename, error, error.__cause__)
        # Not RQ's retry intervals: between its two steps of putting a job off it can be lost.
        if left := job.retries_left:
            time.sleep(STORAGE_DELAYS[-min(left, len(STORAGE_DELAYS))])
        raise
    job.meta |= {"format": format, "size_out": len(result), "milliseconds": milliseconds}
    if tells:
        job.save_meta()
        publish(job.connection, job.id, Step.DONE)
        tell_end(job.connection, job, JobState.DONE)
        log_done(job)
    _let_go(paths.original(wanted, token))


def hand_over(job: Job) -> None:
    """Hand a small picture to the decoder while Redis records the start of its job: much of it is
    done once the answer is there. If this fails, `convert` comes upon the reason, where it
    counts."""
    here = runtime()
    try:
        token = job.kwargs["token"]
        if not here.at_once or job.meta["size_in"] > SMALL or here.sandbox.begun(token):
            return
        wanted = Conversion.from_dict(job.kwargs["conversion"])
        here.sandbox.begin(token, _original(wanted, token), _target(wanted, job))
    except Exception as error:
        logger.debug("%s is not handed over early: %s", job.id, error)


def _original(wanted: Conversion, token: str) -> Data:
    here = runtime()
    return here.transfer(here.storage.get(paths.original(wanted, token)))


def _target(wanted: Conversion, job: Job) -> Target:
    here = runtime()
    limits = here.settings.limits
    return Target(
        wanted.format or wanted.options.formats[0],
        wanted.quality,
        Limits(limits.max_pixels, limits.max_frames, limits.max_side),
        wanted.options.effort or here.settings.engine.effort,
        wanted.options,
        careful="crashes" in job.meta,
    )


def log_done(job: Job) -> None:
    """Log a conversion. Our worker does so once its end is told, as somebody waits for that."""
    told = ("filename", "format", "size_in", "size_out", "milliseconds")
    # A job of an older version has less.
    logger.info("%s → %s: %s → %s bytes in %s ms", *map(job.meta.get, told))


def report_failure(
    job: Job,
    connection: redis.Redis,
    error_type: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """Leave the reason in `job.meta` and publish it. RQ calls it after every failed run, also
    when it finds a job whose worker has died."""
    if job.should_retry:
        logger.warning("%s: %s; it is put back", job.description, _in_words(error_type, error))
        step = Step.RETRYING
    else:
        job.meta.setdefault("error", _in_words(error_type, error))
        code = job.meta.setdefault("error_code", ConversionInterrupted.code)
        logger.warning("%s: failed: %s (%s)", job.description, job.meta["error"], code)
        step = Step.FAILED
        if error_type is AbandonedJobError:
            # RQ, which saves the job next, notes only the end of what a worker has ended; there may
            # be that of a run before.
            job.ended_at = now()
    job.save_meta()
    publish(connection, job.id, step)
    if step is Step.FAILED:
        if not isinstance(job, CheckedJob):
            tell_end(connection, job, JobState.FAILED)
        arguments = job.kwargs
        _let_go(paths.original(Conversion.from_dict(arguments["conversion"]), arguments["token"]))


def cleanup() -> dict[str, int]:
    """Delete what is older than `max_age`, or a part of it if the worker stops.
    Returns the counts."""
    job = current_job()
    here = runtime()
    max_age = here.settings.upload.max_age_seconds
    questions = Questions(
        max_age_seconds=max_age,
        conversion_timeout=here.settings.limits.conversion_timeout,
    )
    swept = here.run(sweep(job.connection, questions, here.storage, max_age, here.stopping.is_set))
    if swept.files:
        logger.info("cleanup: %d jobs, %d files, %d bytes", swept.jobs, swept.files, swept.freed)
    return {"jobs": swept.jobs, "files": swept.files, "freed": swept.freed}


def _let_go(original: str) -> None:
    """Let the original of an ended job expire, if the storage can do that."""
    here = runtime()
    if here.expiring is not None:
        try:
            here.run(here.expiring.expire(original))
        except StorageError as error:
            logger.warning("%s: %s", error, error.__cause__)


def _fail(job: Job, reason: str, code: str = PROCESSING_FAILED) -> None:
    """Fail the job for good, with this reason."""
    job.retries_left = 0
    job.meta |= {"error": reason, "error_code": code}


def _in_words(error_type: type[BaseException], error: BaseException) -> str:
    """A reason that a client may read. An unforeseen error is logged with its trace."""
    if error_type is AbandonedJobError:
        return "the worker stopped each time it converted the picture"
    if issubclass(error_type, JobTimeoutException):
        return "the conversion took too long"
    if issubclass(error_type, FORESEEN) and str(error):
        return str(error)
    return "something went wrong on the server"

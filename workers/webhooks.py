"""The RQ job functions that take messages to their recipients."""

from __future__ import annotations

import logging
import time
from types import TracebackType

import redis
from rq.exceptions import AbandonedJobError
from rq.job import Job

from app.core.picture.recipients import parse_recipient
from app.outgoing.webhook import NotDelivered, post
from workers.job import current_job
from workers.settings import process_settings

logger = logging.getLogger(__name__)


def deliver(to: str, payload: str) -> None:
    """Send a message, once. The id of the job is that of the event.

    Args:
        to: the recipient, as `Recipient.id`. Its secret is in the settings and nowhere else.
        payload: the text of the message.

    Raises:
        NotDelivered: if the recipient has not taken it.
    """
    job = current_job()
    settings = process_settings()
    recipient = parse_recipient(to)
    destination = settings.webhooks.destination(recipient)
    if destination is None:
        # An endpoint may be in the settings of other machines already, and soon in these.
        what = f"endpoint {recipient.name}" if recipient.name else "'any'"
        raise NotDelivered(f"The settings have no {what}", final=not recipient.name)
    began = time.perf_counter()
    status = post(destination.url, job.id, payload, destination.secrets, settings.webhook_rules)
    milliseconds = (time.perf_counter() - began) * 1000
    logger.info("%s: %d in %.0f ms", job.description, status, milliseconds)


def report_failure(
    job: Job,
    connection: redis.Redis,
    error_type: type[BaseException],
    error: BaseException,
    traceback: TracebackType | None,
) -> None:
    """Log that the worker of a delivery has died. RQ calls it when it finds such a job."""
    if error_type is AbandonedJobError:
        again = "; it is put back" if job.should_retry else ""
        logger.warning("%s: the worker stopped meanwhile%s", job.description, again)

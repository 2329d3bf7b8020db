"""The messages that tell recipients of events, as JSON (Standard Webhooks, "Payload structure")."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from app.core.errors import TinyImageError
from app.core.jobs.facts import reason
from app.core.jobs.job import JobState, PictureJob
from app.core.jobs.times import rfc3339
from app.core.picture.recipients import EventType


@dataclass(frozen=True, slots=True)
class Message:
    """An event, for all its recipients. Each delivery, and each try of it, has the same text."""

    type: EventType
    subject: str
    """What logs name it by, such as the MD5 of a picture."""
    time: datetime
    """Of the event."""
    data: Mapping[str, Any]
    """As JSON."""

    @property
    def text(self) -> str:
        """The body of its deliveries."""
        return json.dumps(
            {"type": self.type, "timestamp": rfc3339(self.time), "data": self.data},
            separators=(",", ":"),
        )


def image_message(job: PictureJob, downloads: str) -> Message:
    """The message of a job that has ended: its conversion and outcome, by the names that `/status`
    has for them.

    Args:
        downloads: the start of the addresses of downloads.
    """
    facts, done = job.facts, job.state is JobState.DONE
    data: dict[str, Any] = {
        **job.named,
        "status": job.state,
        "filename": job.filename,
        "original_bytes": facts.original_bytes,
    }
    if done:
        data["result_bytes"] = facts.result_bytes
        data["placeholder"] = facts.measures.placeholder
        data["download_url"] = job.download_url(downloads)
    else:
        data["error"] = {"code": facts.error_code, "message": reason(facts.error)}
    return Message(
        EventType.IMAGE_DONE if done else EventType.IMAGE_FAILED,
        job.conversion.md5,
        job.ended or datetime.now(UTC),
        {name: value for name, value in data.items() if value is not None},
    )


def link_message(id: str, url: str, filename: str, meta: Mapping[str, Any]) -> Message:
    """The message of an upload by its URL that has failed before there was a picture.

    Args:
        url: of which the host alone is told: the rest may hold a secret of whoever has sent it, and
            the recipient may be another.
        meta: of the fetch.
    """
    host = urlsplit(url).hostname
    error = {
        "code": str(meta.get("error_code", TinyImageError.code)),
        "message": reason(str(meta.get("error", TinyImageError.example))),
    }
    named = {"host": host} if host else {}
    return Message(
        EventType.IMAGE_FAILED,
        id,
        datetime.now(UTC),
        {"id": id, "status": JobState.FAILED, **named, "filename": filename, "error": error},
    )

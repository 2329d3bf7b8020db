"""Jobs that came over HTTP, followed on a socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.core.config.settings import Settings
from app.core.errors import InvalidOption
from app.core.jobs.job import JobState, PictureJob
from app.core.picture.batch import Batch, parse_batch
from app.core.picture.conversion import parse_flag, parse_md5
from app.web.service.details import details_of, placeholder_of
from app.web.service.selection import Selection, selection_of
from app.web.ws.messages import short_fields
from imaging.options.values import shown

FOLLOW_BATCH = "follow_batch"


@dataclass(frozen=True, slots=True)
class Follow:
    """What a socket asks to be told of."""

    md5: str
    wanted: Selection
    progress: bool
    """Whether of each new place in the queue too."""
    details: bool

    def step(self, job: PictureJob, place: int | None, downloads: str) -> dict[str, Any]:
        """The message for a job.

        Args:
            downloads: as `downloads_from` gives it.
        """
        failed = job.state is JobState.FAILED
        step: dict[str, Any] = {"status": "error" if failed else job.state, **job.named}
        if failed:
            # The code of the kept API; the details have the exact one.
            step["message"] = "processing_failed"
        if self.progress and place is not None:
            step["place"] = place
        if self.details:
            return {**step, **details_of(job, place, downloads)}
        return {**step, **placeholder_of(job)}


def fields_to_follow(message: str | bytes) -> Mapping[str, Any] | None:
    """The members of a message that asks to follow a picture; None if it is another message."""
    fields = short_fields(message, '"follow')
    is_picture = "data" in fields or "binary" in fields
    asks = "follow" in fields or FOLLOW_BATCH in fields
    return fields if asks and not is_picture else None


def follow_of(fields: Mapping[str, Any], settings: Settings) -> Follow:
    """What the members of a message ask for.

    Raises:
        InvalidOption, UnsupportedFormat: if one cannot be understood.
    """
    given = fields["follow"]
    md5 = parse_md5(given) if isinstance(given, str) else None
    if md5 is None:
        raise InvalidOption(f"follow should be an MD5, 32 hex digits (it is {shown(given)})")
    return Follow(
        md5,
        selection_of(fields, settings),
        progress=parse_flag("progress", fields.get("progress")),
        details=parse_flag("details", fields.get("details")),
    )


def batch_of(fields: Mapping[str, Any], owner: str | None) -> Batch:
    """The batch that the members of a message ask for.

    Args:
        owner: the name of the socket's API key.

    Raises:
        InvalidOption: if it is not a name.
    """
    batch = parse_batch(fields[FOLLOW_BATCH], owner)
    if batch is None:
        raise InvalidOption(f"{FOLLOW_BATCH} should be the name of a batch")
    return batch

"""The messages to recipients of events."""

from __future__ import annotations

from app.core.jobs.fetched.links import LinkState
from app.core.jobs.job import JobState
from app.core.picture.recipients import EventType
from app.web.docs.schemas.batch import COUNTS
from app.web.docs.schemas.conversion import CHOSEN, CONVERSION, DETAILS, EXAMPLE_MD5, FAILED
from app.web.docs.schemas.link import LINK_ID
from app.web.docs.schemas.parts import Schema, an_object, choice, text


def _message(type: EventType, required: Schema, optional: Schema, about: str = "") -> Schema:
    """A message to the recipients of an event.

    Args:
        about: what it is about, where it is not the only message of its type.
    """
    return an_object(
        f"The message of `{type}`{about}.",
        {
            "type": choice("The kind of event.", (type,)),
            "timestamp": text("Of the event.", format="date-time"),
            "data": an_object("What has happened.", required, optional),
        },
    )


SCHEMAS: dict[str, Schema] = {
    "ImageDone": _message(
        EventType.IMAGE_DONE,
        {
            **CONVERSION,
            "status": choice("Of the picture.", (JobState.DONE,)),
            "filename": DETAILS["filename"],
            "download_url": text(
                "The URL of exactly this result, relative to the root of the server if it is not "
                "absolute.",
                example=f"download/{EXAMPLE_MD5}?format=webp&lossless=false",
            ),
        },
        {
            **CHOSEN,
            **{name: DETAILS[name] for name in ("original_bytes", "result_bytes", "placeholder")},
        },
    ),
    "ImageFailed": _message(
        EventType.IMAGE_FAILED,
        {
            **CONVERSION,
            "status": choice("Of the picture.", (JobState.FAILED,)),
            "filename": DETAILS["filename"],
            **FAILED,
        },
        {**CHOSEN, "original_bytes": DETAILS["original_bytes"]},
        " of a picture",
    ),
    "LinkFailed": _message(
        EventType.IMAGE_FAILED,
        {
            "id": LINK_ID,
            "status": choice("Of the upload.", (LinkState.FAILED,)),
            "filename": DETAILS["filename"],
            **FAILED,
        },
        {"host": text("Of the URL; nothing else of it is told.", example="example.org")},
        " of an upload by its URL, without a picture",
    ),
    "BatchDone": _message(
        EventType.BATCH_DONE,
        {name: COUNTS[name] for name in ("batch", "total", "done", "failed")},
        {},
    ),
}
"""The components."""

"""The messages of a socket."""

from __future__ import annotations

from app.core import errors
from app.core.jobs.fetched.links import LinkState
from app.core.jobs.job import JobState
from app.core.picture.batch import BATCH
from app.core.picture.recipients import WEBHOOK
from app.web.docs.schemas.batch import BATCH_FIELD, COUNTS
from app.web.docs.schemas.conversion import CHOSEN, CONVERSION, DETAILS, FAILED
from app.web.docs.schemas.link import LINK_ID, URL
from app.web.docs.schemas.options import FORMAT, PRESET, QUALITY, SELECTED, sent
from app.web.docs.schemas.parts import Schema, an_object, choice, flag, number, ref, text
from app.web.docs.schemas.upload import PRIORITY, WEBHOOK_FIELD
from imaging import options

_SOCKET_STATES = (JobState.QUEUED, JobState.PROCESSING)

_DETAILS = flag("Whether the answers have all details.", default=False)

_REQUESTED: dict[str, Schema] = {
    "filename": text("The name of the original.", example="rocket.jpg"),
    "preset": PRESET,
    "format": {**FORMAT, "oneOf": [*FORMAT["oneOf"], ref("ListedFormats")]},
    "quality": QUALITY,
    "priority": PRIORITY,
    WEBHOOK: WEBHOOK_FIELD,
    BATCH: BATCH_FIELD,
    "details": _DETAILS,
    **{name: sent(option) for name, option in options.OPTIONS.items()},
}
"""Further members of a socket's message with a picture."""

SCHEMAS: dict[str, Schema] = {
    "SocketPicture": an_object(
        "To the server: a picture and its conversion.",
        {"data": text("The file.", format="byte")},
        _REQUESTED,
    ),
    "SocketAnnouncement": an_object(
        "To the server, in a text message: the conversion of a picture that follows in a binary "
        "message.",
        {"binary": {"type": "boolean", "enum": [True]}},
        _REQUESTED,
    ),
    "SocketLink": an_object(
        "To the server: the address of a picture, and its conversion.",
        {"url": URL},
        {name: schema for name, schema in _REQUESTED.items() if name != "filename"},
    ),
    "SocketFetching": an_object(
        "From the server: a picture is fetched.",
        {"status": choice("", (LinkState.FETCHING,)), "id": LINK_ID},
    ),
    "SocketFollow": an_object(
        "To the server: a picture that came over HTTP, to be told how its conversions go; those "
        "that the other members name, or all.",
        {"follow": text("The MD5 of the uploaded file.", pattern="^[0-9a-fA-F]{32}$")},
        {
            **SELECTED,
            "progress": flag(
                "Whether each new place in the queue is told too, at most once a second.",
                default=False,
            ),
            "details": _DETAILS,
        },
    ),
    "SocketFollowBatch": an_object(
        "To the server: a batch, to be told how it goes.",
        {"follow_batch": BATCH_FIELD},
    ),
    "SocketBatch": an_object(
        "From the server: the counts of a batch that is followed.",
        {
            "status": choice("Whether all have ended.", (JobState.PROCESSING, "done")),
            **COUNTS,
        },
    ),
    "SocketFollowed": an_object(
        "From the server: the status of a conversion that is followed. A failed one is an error.",
        {"status": choice("", (*_SOCKET_STATES, JobState.DONE)), **CONVERSION},
        {**CHOSEN, **DETAILS},
    ),
    "SocketKey": an_object(
        "To the server: the API key, where headers cannot be set.", {"api_key": text("The key.")}
    ),
    "SocketAuthorized": an_object(
        "From the server: the key is valid.", {"status": choice("", ("authorized",))}
    ),
    "SocketStep": an_object(
        "From the server: the status of a picture.",
        {"status": choice("", _SOCKET_STATES), **CONVERSION},
        {"id": LINK_ID, **CHOSEN, **DETAILS},
    ),
    "SocketDone": an_object(
        "From the server: a result.",
        {
            "status": choice("", (JobState.DONE,)),
            **CONVERSION,
            "file": text("The file.", format="byte"),
        },
        {"id": LINK_ID, **CHOSEN, **DETAILS},
    ),
    "SocketError": an_object(
        "From the server: a message or a picture failed. The socket stays open.",
        {"status": choice("", ("error",)), "message": ref("SocketErrorCode")},
        {
            "detail": text(
                f"Why, with `{errors.InvalidOption.code}` and `{errors.NotAllowed.code}`."
            ),
            "retry_after": number(f"Seconds, with `{errors.RateLimited.code}`.", 0),
            "id": LINK_ID,
            **CONVERSION,
            **CHOSEN,
            **DETAILS,
            **FAILED,
        },
    ),
}
"""The components."""

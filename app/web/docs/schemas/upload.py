"""An upload, and the answers to it."""

from __future__ import annotations

from app.core.jobs.fetched.links import LinkState
from app.core.picture.batch import BATCH
from app.core.picture.priority import Priority
from app.core.picture.recipients import WEBHOOK
from app.core.picture.widths import MAX_WIDTHS, WIDTHS
from app.outgoing.webhook import MAX_URL
from app.web.docs.schemas.batch import BATCH_FIELD
from app.web.docs.schemas.conversion import CHOSEN, CONVERSION, EXAMPLE_MD5, MD5
from app.web.docs.schemas.link import LINK_ID, URL
from app.web.docs.schemas.options import FORMAT, OPTIONS, PRESET, QUALITY, sent
from app.web.docs.schemas.parts import Schema, an_array, an_object, choice, named, number, ref, text
from imaging import options

PRIORITY = named(
    "Priority",
    f"When it is converted: `{Priority.BULK}` pictures after `{Priority.INTERACTIVE}` ones.",
    default=str(Priority.INTERACTIVE),
)

WEBHOOK_FIELD = text(
    "A URL that is told of the end, where the operator allows it: see *Webhooks* above. Ports and "
    "users as with `url`. It is not part of the conversion.",
    format="uri",
    maxLength=MAX_URL,
    example="https://example.org/hooks",
)

_UPLOADED: dict[str, Schema] = {
    "preset": PRESET,
    **{"format": FORMAT, "quality": QUALITY, "priority": PRIORITY},
    WEBHOOK: WEBHOOK_FIELD,
    BATCH: BATCH_FIELD,
    WIDTHS: text(
        f"Pixels, {MAX_WIDTHS} numbers at most, with commas between them: the picture is converted "
        "once for each, and never enlarged. In place of `width` and `height`, and "
        "not with `trim` or `max_bytes`.",
        example="320,640,1280",
    ),
}
"""Further fields of an upload, beside the options."""

DONE_OR_NOT = text("For people.", example="Your image is queued for processing")

SCHEMAS: dict[str, Schema] = {
    "Upload": an_object(
        "A picture, as a file or by its address, and its conversion.",
        {},
        {
            "picture": text("The file.", format="binary"),
            "url": URL,
            **_UPLOADED,
            **OPTIONS,
        },
    ),
    "LinkUpload": an_object(
        "The address of a picture, and its conversion.",
        {"url": URL},
        {**_UPLOADED, **{name: sent(option) for name, option in options.OPTIONS.items()}},
    ),
    "Accepted": an_object("An accepted picture.", {"message": DONE_OR_NOT, **CONVERSION}, CHOSEN),
    "AcceptedLink": an_object(
        "A picture that is fetched.",
        {"message": DONE_OR_NOT, "id": LINK_ID, "status": choice("", (LinkState.FETCHING,))},
    ),
    "AcceptedWidths": an_object(
        "A picture that was accepted in several widths.",
        {
            "message": DONE_OR_NOT,
            "md5": MD5,
            "images": an_array(ref("Width"), minItems=1),
            "srcset": text(
                "What the attribute of this name takes, with URLs relative to that of this answer.",
                example=f"download/{EXAMPLE_MD5}?format=webp&width=320 320w",
            ),
        },
    ),
    "Width": an_object(
        "A picture in one width.",
        {
            **CONVERSION,
            "width": number("Pixels.", 1),
            "status": ref("State"),
            "url": text(
                "Of the result, relative to that of this answer.",
                example=f"download/{EXAMPLE_MD5}?format=webp&width=320",
            ),
        },
        {**CHOSEN, "type": text("The media type of the result.", example="image/webp")},
    ),
}
"""The components."""

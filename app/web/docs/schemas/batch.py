"""A batch, and the archive of its results."""

from __future__ import annotations

from app.core.picture.batch import NAME_PATTERN
from app.web.docs.schemas.options import SELECTED
from app.web.docs.schemas.parts import Schema, an_array, an_object, number, ref, text

MAX_ARCHIVE_FILES = 10_000
"""Files of one archive: the list at its end is in memory, some 600 bytes for each."""

BATCH_FIELD = text(
    "The name of a batch in which it is: `GET /batch/{name}` counts and lists that.",
    pattern=f"^{NAME_PATTERN}$",
    example="holiday",
)

COUNTS: dict[str, Schema] = {
    "batch": BATCH_FIELD,
    "total": number("Its pictures, each once in each form.", 0),
    "unfinished": number("Those that are queued, fetched or in work.", 0),
    "done": number("Those that are done.", 0),
    "failed": number("Those that have failed.", 0),
}

SCHEMAS: dict[str, Schema] = {
    "Batch": an_object(
        "A batch, and a part of its pictures.",
        {
            **COUNTS,
            "files": an_array({"anyOf": [ref("Status"), ref("LinkStatus")]}),
        },
    ),
    "Archive": an_object(
        "The results that are to be in an archive: those of a list, or all of a batch.",
        {},
        {
            "batch": BATCH_FIELD,
            "files": an_array(ref("ArchiveFile"), minItems=1, maxItems=MAX_ARCHIVE_FILES),
        },
    ),
    "ArchiveFile": an_object(
        "One result; what is left out is found as by a download.",
        {"md5": text("The MD5 of the uploaded file.", pattern="^[0-9a-fA-F]{32}$")},
        {
            **SELECTED,
            "path": text("Its name in the archive, with folders.", example="beach/rocket.webp"),
        },
    ),
}
"""The components."""

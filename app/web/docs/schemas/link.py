"""An upload by its URL."""

from __future__ import annotations

from app.core.jobs.fetched.links import ID_PATTERN, MAX_SOURCE_URL, LinkState
from app.web.docs.schemas.parts import Schema, an_object, choice, ref, text

WITHDRAWN = "withdrawn"
"""The status of a conversion that was taken back."""

EXAMPLE_ID = f"fetch-{'0123456789abcdef' * 2}"

EXAMPLE_URL = "https://example.org/rocket.jpg"

URL = text(
    "The address of the picture, in place of the file: `http` or `https`, on port 80, 443 or from "
    "1024, without a user and a password. Needs `fetch.enabled`.",
    maxLength=MAX_SOURCE_URL,
    example=EXAMPLE_URL,
)

LINK_ID = text(
    "Of a picture that was uploaded by its URL.", pattern=f"^{ID_PATTERN}$", example=EXAMPLE_ID
)

SCHEMAS: dict[str, Schema] = {
    "LinkStatus": an_object(
        "An upload by its URL that is fetched, or could not be.",
        {
            "id": LINK_ID,
            "status": choice("Until its conversions have one.", (LinkState.FETCHING, "failed")),
        },
        {"error": ref("JobError")},
    ),
    "WithdrawnLink": an_object(
        "An upload by its URL that was to be withdrawn, and has no conversions.",
        {
            "id": LINK_ID,
            "status": choice("What became of it.", (WITHDRAWN, LinkState.FETCHING, "failed")),
        },
        {"error": ref("JobError")},
    ),
}
"""The components."""

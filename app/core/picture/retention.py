"""How long Redis keeps the data of a picture, at most."""

from __future__ import annotations

GRACE_SECONDS = 3600
"""How much longer than `max_age` Redis keeps a job. The cleanup deletes it before, with its files;
this only bounds leftovers if no cleanup runs."""

INDEX_SECONDS = 30 * 24 * 3600
"""How much longer the index of a picture's jobs lives: as long as a job may wait."""

SHARED_PART = 0.1
"""Which part of `max_age` an upload is shared with others of the same bytes: what is asked of it
again is kept for `max_age` from then on, and the upload itself for so much longer."""


ANSWER_SECONDS = 60
"""How long a request that has brought an upload may take to be answered with its id."""


def shared_seconds(max_age_seconds: float) -> int:
    """How long an upload is shared, in whole seconds; less than `GRACE_SECONDS`."""
    return int(max(1, min(max_age_seconds * SHARED_PART, GRACE_SECONDS / 2)))


def source_seconds(max_age_seconds: float) -> float:
    """How long such an upload is kept: to the end of the last id that it was shared for."""
    return max_age_seconds + shared_seconds(max_age_seconds) + ANSWER_SECONDS

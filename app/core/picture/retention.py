"""How long Redis keeps what belongs to a picture, at most."""

from __future__ import annotations

GRACE_SECONDS = 3600
"""How much longer than `max_age` Redis keeps a job. The cleanup deletes it before, with its files;
this only bounds what is left behind where no cleanup runs."""

INDEX_SECONDS = 30 * 24 * 3600
"""How much longer the index of a picture's jobs lives: as long as a job may wait."""

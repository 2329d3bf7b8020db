"""The compressions of each key in a calendar month, UTC, counted in Redis."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.core.jobs import keys
from app.core.redis.commands import Batch, Question

KEPT_SECONDS = 62 * 24 * 3600
"""How long a count is kept after its last change: to the end of its month, and over the next."""

ANY_KEY = "any"
"""Stands for all keys together of a server that takes any: what clients make up never makes a name
of its own. A configured key of this name counts for it too, and there are none beside."""


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of counted compressions."""

    name: str | None
    """Of a configured key; None for one of those that a server without keys takes."""
    digest: str = ""
    """Tells such a key from others, and not what it is."""

    @classmethod
    def of_any(cls, key: str) -> Account:
        """The account of a key that is not configured."""
        return cls(None, hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32])


def month() -> str:
    """The current month, such as 2026-01."""
    return datetime.now(UTC).strftime("%Y-%m")


def count(account: Account, number: int, month: str) -> Question[int]:
    """Count compressions; 0 asks.

    Returns:
        those of the month, these included.
    """
    total = keys.compressions(month)
    if account.name is not None:
        if not number:
            (found,) = yield Batch([("HGET", total, account.name)])
            return int(found or 0)
        found, _ = yield Batch(
            [("HINCRBY", total, account.name, number), ("EXPIRE", total, KEPT_SECONDS)],
            atomic=True,
        )
        return int(found)
    own = keys.compressions(month, account.digest)
    if not number:
        (found,) = yield Batch([("GET", own)])
        return int(found or 0)
    found, *_ = yield Batch(
        [
            ("INCRBY", own, number),
            ("EXPIRE", own, KEPT_SECONDS),
            ("HINCRBY", total, ANY_KEY, number),
            ("EXPIRE", total, KEPT_SECONDS),
        ],
        atomic=True,
    )
    return int(found)


def parse_compressions(fields: Mapping[bytes, bytes]) -> dict[str, int]:
    """The counts by key in the hash of a month."""
    return {
        name.decode("utf-8", "replace"): int(value)
        for name, value in fields.items()
        if value.isdigit()
    }

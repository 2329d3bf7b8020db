"""Batches: pictures that a client groups by a name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from app.core.errors import InvalidOption
from imaging.options.values import shown

BATCH = "batch"
"""The field that names one."""

MAX_NAME = 100

NAME_PATTERN = f"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}"

MAX_MEMBERS = 10_000
"""Conversions of a batch, as many as an archive holds."""

MAX_PATH = 500
"""Characters of a member's path that are kept, the last ones."""

_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of one owner."""

    name: str
    owner: str | None = None
    """The name of the API key, whose clients alone see it; None for clients without one."""

    @property
    def id(self) -> str:
        """Its id, different from those of other owners; begins unlike any MD5."""
        owner = hashlib.sha256((self.owner or "").encode()).hexdigest()[:16]
        return f"batch-{owner}-{self.name}"


@dataclass(frozen=True, slots=True)
class Member:
    """A picture on its way into a batch."""

    batch: Batch
    path: str
    """Its name with its folders, as the client has it."""


def parse_batch(given: object, owner: str | None) -> Batch | None:
    """The batch that a client names; None for nothing.

    Args:
        owner: the name of its API key.

    Raises:
        InvalidOption: if it is not a name.
    """
    if given is None or given == "":
        return None
    if not isinstance(given, str) or not _NAME.fullmatch(given.strip()):
        raise InvalidOption(
            f"{BATCH} should be a name of letters, digits, '.', '_' and '-', {MAX_NAME} at most, "
            f"that begins with a letter or a digit (it is {shown(given)})"
        )
    return Batch(given.strip(), owner)


def clean_path(path: str) -> str:
    """A path as it can be kept: in Unicode, and no longer than it may be. It is not a safe name."""
    return path.encode("utf-8", "replace").decode("utf-8")[-MAX_PATH:]

"""The meaning of the ids of the Tinify API: an upload and its result, each for `max_age`."""

from __future__ import annotations

import json
import logging
import secrets
import string
from dataclasses import dataclass
from typing import Any

from app.core.jobs import keys
from app.core.picture.conversion import Conversion
from app.core.redis.commands import Batch, Question
from imaging.measures import Size

logger = logging.getLogger(__name__)

ID_LENGTH = 32
"""Characters of an id, 165 bits: a client that knows it may read the result."""

_ALPHABET = string.ascii_lowercase + string.digits


def new_id() -> str:
    """An id that nobody guesses."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_LENGTH))


def is_id(value: str) -> bool:
    """Whether the value can be an id."""
    return len(value) == ID_LENGTH and all(character in _ALPHABET for character in value)


@dataclass(frozen=True, slots=True)
class Source:
    """An upload that can be converted again."""

    key: str
    """Where it is stored."""
    md5: str
    size: int
    """Bytes."""
    media_type: str


@dataclass(frozen=True, slots=True)
class Output:
    """The meaning of an id."""

    source: Source
    shown: Size
    """The size of the upload, as it is shown."""
    conversion: Conversion
    """Of the result."""

    def to_json(self) -> str:
        """The output as Redis keeps it."""
        return json.dumps(
            {
                "source": self.source.key,
                "md5": self.source.md5,
                "size": self.source.size,
                "media_type": self.source.media_type,
                "shown": [self.shown.width, self.shown.height],
                "conversion": self.conversion.to_dict(),
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, value: bytes) -> Output:
        """The output that `to_json` described.

        Raises:
            ValueError, TypeError, LookupError: if it makes no sense.
        """
        data: dict[str, Any] = json.loads(value)
        return cls(
            Source(data["source"], data["md5"], data["size"], data["media_type"]),
            Size(*data["shown"]),
            Conversion.from_dict(data["conversion"]),
        )


def keep(id: str, output: Output, seconds: int) -> Question[None]:
    """Have the id stand for the output for some seconds."""
    yield Batch([("SET", keys.output(id), output.to_json(), "EX", max(1, seconds))])


def look_up(id: str) -> Question[Output | None]:
    """The meaning of the id; None if it is unknown, or no longer known."""
    (value,) = yield Batch([("GET", keys.output(id))])
    if value is None:
        return None
    try:
        return Output.from_json(value)
    except (ValueError, TypeError, LookupError) as error:
        logger.warning("the output %s is invalid: %r", id, error)
        return None


def shared_source(md5: str) -> Question[str | None]:
    """The storage key of an upload of the same bytes that came a moment ago, if there is one."""
    (value,) = yield Batch([("GET", keys.shared_source(md5))])
    return value.decode() if value else None


def share_source(md5: str, key: str, seconds: int) -> Question[str]:
    """Have those who send the same bytes in the next seconds share the object `key`.

    Returns:
        the key that they share: another one's, if that was first.
    """
    name = keys.shared_source(md5)
    _, value = yield Batch(
        [("SET", name, key, "NX", "EX", max(1, seconds)), ("GET", name)], atomic=True
    )
    return value.decode() if value else key


def unshare_source(md5: str) -> Question[None]:
    """Have nobody share what was found to be gone."""
    yield Batch([("DEL", keys.shared_source(md5))])
